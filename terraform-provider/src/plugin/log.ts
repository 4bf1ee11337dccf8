export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** One line of JSON on stderr, as Terraform's log reads it: its timestamps need six digits after the second. */
export function log(level: Level, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const timestamp = new Date().toISOString().replace('Z', '000Z');
  const line = { '@level': level, '@message': message, '@module': 'entrepot', '@timestamp': timestamp, ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
