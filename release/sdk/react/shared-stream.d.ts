import type { LiveStatus, LiveStream } from '../live.js';
export interface SharedStream<Item> {
    status(): LiveStatus;
    onStatus(listener: () => void): () => void;
    listen(listener: (item: Item) => void): () => void;
}
interface SharedStreamOptions<Item> {
    open(onStatus: (status: LiveStatus) => void): LiveStream<Item>;
    onItem(item: Item): void;
    onBegin(): void;
}
export declare function shareStream<Item>({ open, onItem, onBegin }: SharedStreamOptions<Item>): SharedStream<Item>;
export {};
