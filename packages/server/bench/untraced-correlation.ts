/** `core/correlation.ts` with nothing in it of what a request asks while nobody traces. See without-traces.ts. */
export * from '../src/core/correlation.ts'

export const currentCorrelation = () => undefined
export const readTraceparent = () => undefined
export const spanned = <T>(_name: string, work: () => Promise<T>): Promise<T> => work()
