import type { Send } from './transport.js';
export declare function createRetries(send: Send, ofClient: {
    timeoutMs: number;
    retries: number;
}): Send;
