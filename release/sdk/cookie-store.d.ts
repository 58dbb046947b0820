import { type SessionStore } from './session.js';
export interface CookieAttributes {
    httpOnly: boolean;
    secure: boolean;
    sameSite: 'lax' | 'strict' | 'none';
    path: string;
    maxAge: number;
    domain?: string;
}
export interface Cookies {
    get(name: string): CookieValue | Promise<CookieValue>;
    set?(name: string, value: string, attributes: CookieAttributes): unknown;
    readonly ofDocument?: boolean;
}
type CookieValue = string | {
    value: string;
} | null | undefined;
export interface CookieStoreOptions extends Partial<CookieAttributes> {
    name?: string;
}
export declare function cookieStore(cookies: Cookies, { name, ...given }?: CookieStoreOptions): SessionStore;
export declare function headerCookies(cookieHeader: string | null | undefined, addSetCookie: (line: string) => void): Cookies;
export interface CookieDocument {
    cookie: string;
}
export declare function documentCookies(document?: CookieDocument): Cookies;
export {};
