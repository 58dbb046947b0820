import type { PinstackError } from '../errors.js';
import type { Relation, RelationCounts, RelationStatus } from '../procedures.js';
import { type ListOptions, type ListResult, type Result } from './queries.js';
export declare function useFollowers(userId: number, { limit, enabled }?: ListOptions): ListResult<Relation>;
export declare function useFollowees(userId: number, { limit, enabled }?: ListOptions): ListResult<Relation>;
export declare function useRelationCounts(userId: number): Result<RelationCounts>;
export declare function useRelation(userId: number): Result<RelationStatus>;
export interface Follow {
    isFollowing: boolean | undefined;
    isFollowedBy: boolean | undefined;
    follow(): void;
    unfollow(): void;
    isPending: boolean;
    error: PinstackError | null;
}
export declare function useFollow(userId: number): Follow;
