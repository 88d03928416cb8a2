export function postgresBinaries(): string | undefined;
export function redisBinary(): string | undefined;
export function sharedServer(
  folder: string,
  name: string,
  start: (folder: string, port: number) => Promise<void>,
): Promise<number>;
export function freePort(): Promise<number>;
export function startPostgres(
  folder: string,
  port: number,
  settings?: Readonly<Record<string, string>>,
): Promise<void>;
export function stopPostgres(folder: string, mode?: 'fast' | 'immediate'): void;
export function startRedis(folder: string, port: number): Promise<void>;
export function stopRedis(folder: string): void;
export function stopServers(folder: string): void;
