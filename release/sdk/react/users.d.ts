import { type UseMutationResult } from '@tanstack/react-query';
import type { PinstackError } from '../errors.js';
import type { Me, User, UserChanges } from '../procedures.js';
import { type ListOptions, type ListResult, type Result } from './queries.js';
export declare function useMe(): Result<Me>;
export declare function useUser(id: number): Result<User>;
export declare function useUserByUsername(username: string): Result<User>;
export declare function useUserSearch(text: string, { limit, enabled }?: ListOptions): ListResult<User>;
export declare function useUpdateMe(): UseMutationResult<User, PinstackError, UserChanges>;
