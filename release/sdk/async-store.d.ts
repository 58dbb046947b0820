import { type SessionStore } from './session.js';
export interface AsyncStorage {
    getItem(key: string): Promise<string | null>;
    setItem(key: string, value: string): Promise<unknown>;
    removeItem(key: string): Promise<unknown>;
}
export declare function asyncStore(storage: AsyncStorage, key?: string): SessionStore;
