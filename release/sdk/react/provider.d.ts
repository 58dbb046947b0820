import { QueryClient } from '@tanstack/react-query';
import { type ReactNode } from 'react';
import type { Pinstack } from '../client.js';
export interface PinstackProviderProps {
    client: Pinstack;
    queryClient?: QueryClient;
    initialUserId?: number | null;
    children?: ReactNode;
}
export declare function PinstackProvider({ client, queryClient, initialUserId, children }: PinstackProviderProps): ReactNode;
