import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
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
  /** Whole lines of JSON, as they are. */
  lines(lines: string): void;
  /** Characters that were let go because nobody took them. */
  readonly dropped: number;
  /** When all that was said is written. */
  close(): Promise<void>;
}

/** Names under which a credential could get into a line. */
const SECRET = ['authorization', 'token', 'password', 'cookie', '*.authorization', '*.token', '*.password', '*.cookie'];
/** Characters that wait for whoever reads the output; what comes then is let go, and counted. */
const MOST_WAITING = 16 * 1024 * 1024;
/** Milliseconds that the end waits for it. */
const LONGEST_CLOSING = 2000;

export async function createLog({ level, format }: LogSettings, output?: DestinationStream): Promise<ServerLog> {
  const out = output ? whole(output) : standardOutput(format);
  const stream = format === 'text' ? await prettified(out.stream) : out.stream;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err, cause: stdSerializers.err },
      redact: { paths: SECRET, censor: '****' },
    },
    stream,
  );
  const announcer = level === 'silent' ? logger : logger.child({}, { level: 'info' });
  return {
    debug: (message, fields) => write(logger, 'debug', message, fields),
    info: (message, fields) => write(logger, 'info', message, fields),
    warn: (message, fields) => write(logger, 'warn', message, fields),
    error: (message, fields) => write(logger, 'error', message, fields),
    announce: (message, fields) => write(announcer, 'info', message, fields),
    lines: (lines) => void stream.write(lines),
    get dropped() {
      return out.dropped();
    },
    close: () => out.close(),
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

interface Output {
  readonly stream: DestinationStream;
  readonly dropped: () => number;
  readonly close: () => Promise<void>;
}

/**
 * Where a person reads along, lines are written at once. Elsewhere nobody waits for whoever reads the log: what he does not
 * take waits, up to a limit. All lines go through one stream, so that none is written into another; the end of the process
 * (unless it is killed) writes what waits.
 */
function standardOutput(format: LogSettings['format']): Output {
  if (format === 'text') return whole(destination({ dest: 1, sync: true }));
  const stream = destination({ dest: 1, sync: false, maxLength: MOST_WAITING });
  let dropped = 0;
  let ended = false;
  stream.on('drop', (data: string) => {
    dropped += data.length;
  });
  // A full disk behind it: the same is written again with the next line.
  stream.on('error', () => {});
  return {
    stream: { write: (lines) => void (ended || stream.write(lines)) },
    dropped: () => dropped,
    close: async () => {
      if (ended) return;
      const closed = once(stream, 'close');
      stream.end();
      ended = true;
      await Promise.race([closed, pause(LONGEST_CLOSING)]);
    },
  };
}

function whole(stream: DestinationStream): Output {
  return { stream, dropped: () => 0, close: async () => {} };
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
