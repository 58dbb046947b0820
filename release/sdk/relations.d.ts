import type { Call } from './call.js';
import { type PageOptions, type Pages } from './pages.js';
import type { RelationCounts, RelationPage, RelationStatus } from './procedures.js';
import type { CallOptions } from './transport.js';
export interface Relations {
    follow(userId: number, options?: CallOptions): Promise<boolean>;
    unfollow(userId: number, options?: CallOptions): Promise<boolean>;
    followers(userId: number, options?: PageOptions): Pages<RelationPage>;
    followees(userId: number, options?: PageOptions): Pages<RelationPage>;
    status(userIds: number[], options?: CallOptions): Promise<RelationStatus[]>;
    counts(userId: number, options?: CallOptions): Promise<RelationCounts>;
}
export declare function createRelations(call: Call): Relations;
