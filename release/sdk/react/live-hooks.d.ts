import type { LiveStatus, Reset } from '../live.js';
import type { NotificationChange, PostChange, RelationChange } from '../procedures.js';
export interface LiveHookOptions<Change> {
    onChange?: ((change: Change | Reset) => void) | undefined;
    enabled?: boolean | undefined;
}
export declare function useLiveNotifications(options?: LiveHookOptions<NotificationChange>): LiveStatus;
export declare function useLivePosts(options?: LiveHookOptions<PostChange>): LiveStatus;
export declare function useLiveRelations(options?: LiveHookOptions<RelationChange>): LiveStatus;
