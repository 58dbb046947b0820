import type { Call } from './call.js';
import { type PageOptions, type Pages } from './pages.js';
import type { NewPost, Post, PostChanges, PostFilter, PostPage } from './procedures.js';
import type { CallOptions } from './transport.js';
export interface Posts {
    create(post: NewPost, options?: CallOptions): Promise<Post>;
    get(id: number, options?: CallOptions): Promise<Post>;
    list(filter?: PostFilter, options?: PageOptions): Pages<PostPage>;
    update(id: number, changes: PostChanges, options?: CallOptions): Promise<Post>;
    delete(id: number, options?: CallOptions): Promise<void>;
}
export declare function createPosts(call: Call): Posts;
