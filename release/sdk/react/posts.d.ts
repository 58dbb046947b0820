import { type QueryClient, type UseMutationResult } from '@tanstack/react-query';
import type { PinstackError } from '../errors.js';
import type { NewPost, Post, PostChanges, PostFilter } from '../procedures.js';
import type { PinstackKeys } from './keys.js';
import { type ListOptions, type ListResult, type Result } from './queries.js';
export declare function usePost(id: number): Result<Post>;
export declare function usePosts(filter?: PostFilter, { limit, enabled }?: ListOptions): ListResult<Post>;
export declare function useCreatePost(): UseMutationResult<Post, PinstackError, NewPost, {
    id: number;
}>;
export declare function useUpdatePost(): UseMutationResult<Post, PinstackError, PostChanges & {
    id: number;
}>;
export declare function useDeletePost(): UseMutationResult<void, PinstackError, number>;
export declare function prependPost(cache: QueryClient, keys: PinstackKeys, post: Post): void;
