import { type SessionStore } from './session.js';
export declare function tabsOf(name: string): Required<Pick<SessionStore, 'announce' | 'subscribe'>>;
