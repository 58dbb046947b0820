import { type QueryClient } from '@tanstack/react-query';
import type { Pinstack } from '../client.js';
import type { Reset } from '../live.js';
import type { NotificationChange, PostChange, RelationChange } from '../procedures.js';
import { type SharedStream } from './shared-stream.js';
export interface Changes {
    notifications: NotificationChange;
    posts: PostChange;
    relations: RelationChange;
}
export type Topic = keyof Changes;
export type LiveHub = <One extends Topic>(topic: One, userId: number) => SharedStream<Changes[One] | Reset>;
export declare function createLiveHub(pinstack: Pinstack, cache: QueryClient): LiveHub;
