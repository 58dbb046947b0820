export interface ByteStream {
    getReader(): {
        read(): Promise<{
            done: boolean;
            value?: Uint8Array | undefined;
        }>;
        cancel(reason?: unknown): Promise<unknown>;
    };
}
export interface ServerEvent {
    event: string;
    data: string;
    id: string | undefined;
}
export declare function readEvents(body: ByteStream, { onBytes, onRetry }?: {
    onBytes?(): void;
    onRetry?(ms: number): void;
}): AsyncGenerator<ServerEvent, void>;
