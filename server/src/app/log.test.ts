import { expect, test } from 'vitest';
import { createLog, type LogSettings } from './log.ts';

async function logged(
  settings: LogSettings,
  say: (log: Awaited<ReturnType<typeof createLog>>) => void,
): Promise<string> {
  const lines: string[] = [];
  say(await createLog(settings, { write: (line) => void lines.push(line) }));
  return lines.join('');
}

test('a line is JSON with its time, level, message and fields', async () => {
  const text = await logged({ level: 'info', format: 'json' }, (log) => {
    log.debug('unheard');
    log.warn('it rains', { where: 'here', error: new Error('wet', { cause: new Error('clouds') }) });
  });
  expect(JSON.parse(text)).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    msg: 'it rains',
    where: 'here',
    error: expect.objectContaining({
      message: 'wet: clouds',
      stack: expect.stringContaining('caused by: Error: clouds'),
    }),
  });
});

test('credentials are blotted out', async () => {
  const text = await logged({ level: 'info', format: 'json' }, (log) =>
    log.info('x', { token: 'a-secret', headers: { authorization: 'a-secret', cookie: 'a-secret' } }),
  );
  expect(text).not.toContain('a-secret');
});

test('what is announced is said whatever the level, unless silence is asked for', async () => {
  const announce = (level: LogSettings['level']) => logged({ level, format: 'json' }, (log) => log.announce('ready'));
  expect(await announce('error')).toContain('ready');
  expect(await announce('silent')).toBe('');
});
