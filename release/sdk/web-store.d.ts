import { type SessionStore } from './session.js';
export interface WebStorage {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
}
export declare function webStore(storage: WebStorage, key?: string): SessionStore;
