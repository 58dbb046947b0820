import type { Call } from './call.js';
import { type PageOptions, type Pages } from './pages.js';
import type { NewNotification, Notification, NotificationPage } from './procedures.js';
import type { CallOptions } from './transport.js';
export interface Notifications {
    send(notification: NewNotification, options?: CallOptions): Promise<number>;
    feed(options?: PageOptions): Pages<NotificationPage>;
    unreadCount(options?: CallOptions): Promise<number>;
    get(id: number, options?: CallOptions): Promise<Notification>;
    read(id: number, options?: CallOptions): Promise<boolean>;
    readAll(options?: CallOptions): Promise<number>;
    remove(id: number, options?: CallOptions): Promise<boolean>;
}
export declare function createNotifications(call: Call): Notifications;
