import type { WebStorage } from './web-store.js';
export type Lock = <T>(work: () => Promise<T>) => Promise<T>;
export declare function tabLock(name: string, storage?: WebStorage): Lock;
