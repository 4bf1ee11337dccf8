import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino';
import type { Log } from '../engine/log.ts';
import type { LogLevel } from './settings.ts';

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
}

/** Everything Entrepot has to say, on standard output: one line each, JSON or for a terminal. */
export interface ServerLog extends Log {
  /** Said whatever the level is. */
  announce(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Names under which a credential could get into a line. */
const SECRET = ['authorization', 'token', 'password', 'cookie', '*.authorization', '*.token', '*.password', '*.cookie'];

export async function createLog({ level, format }: LogSettings, output?: DestinationStream): Promise<ServerLog> {
  const stream = output ?? destination({ dest: 1, sync: true });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err, cause: stdSerializers.err },
      redact: { paths: SECRET, censor: '****' },
    },
    format === 'text' ? await prettified(stream) : stream,
  );
  const announcer = level === 'silent' ? logger : logger.child({}, { level: 'info' });
  return {
    debug: (message, fields) => write(logger, 'debug', message, fields),
    info: (message, fields) => write(logger, 'info', message, fields),
    warn: (message, fields) => write(logger, 'warn', message, fields),
    error: (message, fields) => write(logger, 'error', message, fields),
    announce: (message, fields) => write(announcer, 'info', message, fields),
  };
}

function write(
  logger: Logger,
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
): void {
  logger[level](fields ?? {}, message);
}

/** Loaded only where a person reads along. */
async function prettified(stream: DestinationStream): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    destination: stream as NonNullable<Parameters<typeof pretty>[0]>['destination'] & object,
    colorize: process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss',
    sync: true,
  });
}
