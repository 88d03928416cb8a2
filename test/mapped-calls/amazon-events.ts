import { crc32 } from 'node:zlib';

/** A string among the headers of an event: https://smithy.io/2.0/aws/amazon-eventstream.html. */
const STRING = 7;
const CRC_BYTES = 4;
const PRELUDE_BYTES = 12;

/** One binary frame of Amazon's event stream. */
export function amazonEvent(type: string, payload: object, kind: 'event' | 'exception' = 'event'): Buffer {
  const headers = Buffer.concat([
    header(':message-type', kind),
    header(kind === 'event' ? ':event-type' : ':exception-type', type),
    header(':content-type', 'application/json'),
  ]);
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  prelude.writeUInt32BE(PRELUDE_BYTES + headers.length + body.length + CRC_BYTES, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, headers, body]);
  const end = Buffer.alloc(CRC_BYTES);
  end.writeUInt32BE(crc32(message));
  return Buffer.concat([message, end]);
}

function header(name: string, value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([STRING]),
    length,
    Buffer.from(value),
  ]);
}

/** What Bedrock says where it answers with a text and a call of a tool. */
export function amazonAnswer(): Buffer[] {
  const delta = (contentBlockIndex: number, piece: object) =>
    amazonEvent('contentBlockDelta', { contentBlockIndex, delta: piece, p: 'padding' });
  return [
    amazonEvent('messageStart', { role: 'assistant' }),
    delta(0, { text: 'Good ' }),
    delta(0, { text: 'däy.' }),
    amazonEvent('contentBlockStop', { contentBlockIndex: 0 }),
    amazonEvent('contentBlockStart', {
      contentBlockIndex: 1,
      start: { toolUse: { toolUseId: 'tooluse_1', name: 'weather' } },
    }),
    delta(1, { toolUse: { input: '{"city":' } }),
    delta(1, { toolUse: { input: '"x"}' } }),
    amazonEvent('contentBlockStop', { contentBlockIndex: 1 }),
    amazonEvent('messageStop', { stopReason: 'tool_use' }),
    amazonEvent('metadata', {
      usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12, cacheReadInputTokens: 2 },
      metrics: { latencyMs: 1 },
    }),
  ];
}
