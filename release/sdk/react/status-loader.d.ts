import type { Pinstack } from '../client.js';
import type { RelationStatus } from '../procedures.js';
export type StatusLoader = (userId: number) => Promise<RelationStatus>;
export declare function createStatusLoader(pinstack: Pinstack): StatusLoader;
