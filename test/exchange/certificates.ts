import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A certificate authority of a test's own. */
export interface Authority {
  /** Its certificate, for NODE_EXTRA_CA_CERTS. */
  readonly file: string;
  /** An HTTPS server on 127.0.0.1 that replies `{}`. @returns its port */
  serve(host: string, days?: number): Promise<number>;
}

export function authorityForTest(): Authority {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test',
    '-days',
    '1',
  );
  return {
    file: path.join(folder, 'ca.pem'),
    async serve(host, days = 1) {
      writeFileSync(path.join(folder, 'names'), `subjectAltName=DNS:${host}`);
      openssl('req', ...NEW_KEY, '-keyout', 'one.key', '-out', 'one.csr', '-subj', '/CN=one');
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
      openssl('x509', '-req', '-in', 'one.csr', ...by, '-days', String(days), '-out', 'one.pem');
      const [key, cert] = ['one.key', 'one.pem'].map((file) => readFileSync(path.join(folder, file)));
      const server = createServer({ key, cert }, (_, response) => {
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"choices":[{"finish_reason":"stop"}]}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return (server.address() as AddressInfo).port;
    },
  };
}
