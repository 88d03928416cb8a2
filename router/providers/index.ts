/** One attempt on one provider: native, with the bytes passed through, or a mapped call. */

export { canCarry, prepareByDialect, takesNative } from './attempt.ts';
export { countRequest } from './count-request.ts';
export { meaningfulHeaders } from './native-request.ts';
export { type Probe, probeProvider } from './probe-provider.ts';
