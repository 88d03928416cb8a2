import { toFile } from 'openai';
import { describe, expect, test, vi } from 'vitest';
import { itLong } from '../helpers/long-run.ts';
import { batchGateway, chatLine, chatLines, created, ended, resultLines, uploaded } from './batch-gateway.ts';

describe('files', () => {
  test('are kept byte for byte, listed and deleted', async () => {
    const { openai } = await batchGateway();
    const text = `\r\n${chatLines(2000).join('\r\n')}\n\n${chatLine('ü', 'Größe 😀?')}`;
    const file = await openai.files.create({
      file: await toFile(Buffer.from(text), 'nightly run.jsonl'),
      purpose: 'batch',
    });
    expect(file).toMatchObject({
      id: expect.stringMatching(/^file-plimsoll-/),
      object: 'file',
      bytes: Buffer.byteLength(text),
      filename: 'nightly run.jsonl',
      purpose: 'batch',
    });
    expect(await (await openai.files.content(file.id)).text()).toBe(text);
    expect(await openai.files.retrieve(file.id)).toEqual(file);
    expect((await openai.files.list()).data).toEqual([file]);
    expect(await openai.files.delete(file.id)).toMatchObject({ id: file.id, deleted: true });
    await expect(openai.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(openai.files.content(file.id)).rejects.toMatchObject({ status: 404 });
    expect((await openai.files.list()).data).toEqual([]);
  });

  test('broken lines in the middle are named, and nothing is kept', async () => {
    const { openai, gateway } = await batchGateway();
    const lines = chatLines(3_000);
    lines[1_499] = '{"custom_id": "x", ';
    lines[1_999] = chatLine('line-7');
    lines[2_499] = lines[2_499]!.replace('POST', 'GET');
    const refused = await uploaded(openai, lines).catch((error) => error);
    expect(refused).toMatchObject({ status: 400, code: 'invalid_input' });
    expect(refused.message).toContain('Line 1500: is not JSON, from character 19 on.');
    expect(refused.message).toContain('Line 2000, custom_id: is that of line 8.');
    expect(refused.message).toContain('Line 2500, method: must be "POST".');
    expect(refused.message).not.toContain('Question');
    expect((await openai.files.list()).data).toEqual([]);
    expect(await gateway.state!.documents.list('', 'batch-file-chunk', 10)).toEqual([]);
  });

  test('of many broken lines the first five are named', async () => {
    const { openai } = await batchGateway();
    const refused = await uploaded(openai, Array(100).fill('nothing')).catch((error) => error);
    expect(refused.message.match(/Line \d+/g)).toEqual(['Line 1', 'Line 2', 'Line 3', 'Line 4', 'Line 5']);
  });

  test('the limits of the configuration', async () => {
    const { openai, gateway } = await batchGateway({ max_lines: 3, max_file_bytes: 2_000 });
    const tooMany = uploaded(openai, chatLines(4));
    await expect(tooMany).rejects.toMatchObject({ status: 400, code: 'too_many_entries' });
    const tooLarge = uploaded(openai, [chatLine('a', 'x'.repeat(3_000))]);
    await expect(tooLarge).rejects.toMatchObject({ status: 413, code: 'too_large' });
    await expect(uploaded(openai, [])).rejects.toMatchObject({ status: 400, param: 'file' });
    const { documents } = gateway.state!;
    expect(await documents.list('', 'batch-file-chunk', 10)).toEqual([]);
    expect((await openai.files.list()).data).toEqual([]);
  });

  test('of a provider go to the provider', async () => {
    const { openai, first, url } = await batchGateway();
    const file = await toFile(Buffer.from(`${chatLine('a')}\n`), 'x.jsonl');
    const other = openai.files.create({ file, purpose: 'fine-tune' });
    await expect(other).rejects.toMatchObject({ status: 400, param: 'purpose' });
    expect(first.requests).toHaveLength(0);
    await fetch(`${url}/v1/files`, { headers: { 'x-plimsoll-provider': 'first' } });
    await fetch(`${url}/v1/files/file-abc`, { headers: { 'x-plimsoll-provider': 'first' } });
    expect(first.requests.map((request) => request.path)).toEqual(['/v1/files', '/v1/files/file-abc']);
  });

  itLong('of 50,000 lines are taken, of one more refused', async () => {
    const { openai } = await batchGateway();
    const lines = chatLines(50_001);
    const tooMany = uploaded(openai, lines);
    await expect(tooMany).rejects.toMatchObject({ status: 400, code: 'too_many_entries' });
    const file = await uploaded(openai, lines.slice(1));
    expect((await openai.files.list()).data).toEqual([file]);
  });

  test('are listed by purpose, in either order and in pages', async () => {
    const { openai } = await batchGateway();
    const done = await ended(
      openai,
      (await created(openai, [...chatLines(1), chatLine('b', '', { messages: 5 })])).id,
    );
    const { id } = await uploaded(openai, chatLines(1));
    const inputs = [id, done.input_file_id];
    const results = [done.output_file_id!, done.error_file_id!];
    const ids = async (query: Parameters<typeof openai.files.list>[0]) => {
      const { data, has_more } = await openai.files.list(query);
      return [data.map((file) => file.id), has_more];
    };
    expect(await ids({ purpose: 'batch' })).toEqual([inputs, false]);
    expect(await ids({ purpose: 'batch', order: 'asc' })).toEqual([inputs.toReversed(), false]);
    expect((await openai.files.list({ purpose: 'batch_output' })).data.map((file) => file.id).sort()).toEqual(
      results.sort(),
    );
    expect(await ids({ purpose: 'assistants' })).toEqual([[], false]);
    expect(await ids({ purpose: 'batch', limit: 1 })).toEqual([[id], true]);
    expect(await ids({ purpose: 'batch', limit: 1, after: id })).toEqual([[done.input_file_id], false]);
    const all: string[] = [];
    for await (const file of openai.files.list({ order: 'asc', limit: 1 })) all.push(file.id);
    expect(all.toReversed()).toEqual((await openai.files.list()).data.map((file) => file.id));
    expect(all).toHaveLength(4);
  });

  test('are listed on from one that was deleted meanwhile', async () => {
    const { openai } = await batchGateway();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await uploaded(openai, chatLines(1))).id);
    const seen: string[] = [];
    for await (const { id } of openai.files.list({ order: 'asc', limit: 2 })) {
      seen.push(id);
      await openai.files.delete(id); // the next page is asked for by the id of a file that is gone
    }
    expect(seen).toEqual(ids);
    const later = (await uploaded(openai, chatLines(1))).id;
    const idsOf = async (query: object) => (await openai.files.list(query)).data.map(({ id }) => id);
    expect(await idsOf({ order: 'asc', after: ids[2] })).toEqual([later]);
    expect(await idsOf({ after: ids[2] })).toEqual([]);
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=10001', 'limit'],
    ['limit=1e2', 'limit'],
    ['order=newest', 'order'],
    ['after=file-plimsoll-none', 'after'],
    ['purpose=batch&purpose=batch_output', 'purpose'],
  ])('are not listed by %s', async (query, param) => {
    const { url } = await batchGateway();
    const refused = await fetch(`${url}/v1/files?${query}`);
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param } }]);
  });

  test('have the name that the client gave, in a download too', async () => {
    const { openai, url } = await batchGateway();
    const name = 'Größe "50%" nightly; name=purpose.jsonl';
    const file = await openai.files.create({
      file: await toFile(Buffer.from(`${chatLine('a')}\n`), name),
      purpose: 'batch',
    });
    expect(file.filename).toBe(name);
    expect((await openai.files.retrieve(file.id)).filename).toBe(name);
    const { headers } = await fetch(`${url}/v1/files/${file.id}/content`);
    expect(headers.get('content-disposition')).toBe(
      String.raw`attachment; filename="Gr__e \"50_\" nightly; name=purpose.jsonl"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%2250%25%22%20nightly%3B%20name%3Dpurpose.jsonl`,
    );
  });

  test('that a batch reads are not deleted until it has ended', async () => {
    const { openai, first } = await batchGateway({ max_concurrency: 1 }, { upstream: { delayMs: 20 } });
    const batch = await created(openai, chatLines(300));
    await vi.waitFor(() => expect(first.requests.length).toBeGreaterThan(2), { timeout: 20_000 });
    const refused = await openai.files.delete(batch.input_file_id).catch((error) => error);
    expect(refused).toMatchObject({ status: 409, code: 'conflict' });
    expect(refused.message).toContain(`The batch ${batch.id} is in_progress and reads this file.`);
    await openai.batches.cancel(batch.id);
    const done = await ended(openai, batch.id);
    expect(await resultLines(openai, done.output_file_id)).toHaveLength(done.request_counts!.completed);
    expect(await openai.files.delete(batch.input_file_id)).toMatchObject({ deleted: true });
    await expect(openai.files.retrieve(batch.input_file_id)).rejects.toMatchObject({ status: 404 });
  });
});
