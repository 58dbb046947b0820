import type { Call } from './call.js';
import type { CallOptions } from './transport.js';
export type Features<App> = App extends {
    readonly $routers?: infer Routers;
} ? {
    readonly [Name in keyof NonNullable<Routers>]: CallsOf<RecordOf<NonNullable<Routers>[Name]>>;
} : {};
type RecordOf<Router> = Router extends {
    _def: {
        record: infer Procedures;
    };
} ? Procedures : never;
type CallsOf<Procedures> = {
    readonly [Name in keyof Procedures]: Procedures[Name] extends {
        _def: {
            type: infer Kind;
            $types: {
                input: infer Input;
                output: infer Output;
            };
        };
    } ? Kind extends 'query' ? {
        query: FeatureCall<Input, Output>;
    } : Kind extends 'mutation' ? {
        mutate: FeatureCall<Input, Output>;
    } : never : CallsOf<Procedures[Name]>;
};
export type FeatureCall<Input, Output> = undefined extends Input ? (input?: Input, options?: CallOptions) => Promise<AsJson<Output>> : (input: Input, options?: CallOptions) => Promise<AsJson<Output>>;
type AsJson<Value> = Value extends {
    toJSON(): infer Sent;
} ? Sent : Value extends readonly unknown[] | object ? {
    [Key in keyof Value]: AsJson<Value[Key]>;
} : Value;
export declare function createFeatures<App>(callAs: (kind: 'query' | 'mutation') => Call): Features<App>;
export {};
