export declare function sleep(ms: number, signal?: AbortSignal): Promise<void>;
