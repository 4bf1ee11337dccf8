const TERMINAL_TICK_MS = 1_000;
const PLAIN_TICK_MS = 15_000;

/**
 * Says on standard error what goes on while `work` runs, and for how long: one line that is redrawn on a terminal, a
 * line now and then elsewhere. `detail` adds how far it is.
 * @template Result
 * @param {string} what
 * @param {() => Promise<Result>} work
 * @param {() => string} [detail]
 * @returns {Promise<Result>}
 */
export async function withProgress(what, work, detail = () => '') {
  const out = process.stderr;
  const started = Date.now();
  const line = () =>
    `${what} … ${[`${Math.round((Date.now() - started) / 1000)} s`, detail()].filter(Boolean).join(', ')}`;
  const show = () => out.write(out.isTTY ? `\r\x1b[2K${line().slice(0, (out.columns || 80) - 1)}` : `${line()}\n`);
  out.write(out.isTTY ? what : `${what} …\n`);
  const timer = setInterval(show, out.isTTY ? TERMINAL_TICK_MS : PLAIN_TICK_MS);
  let outcome = 'failed after';
  try {
    const result = await work();
    outcome = 'done in';
    return result;
  } finally {
    clearInterval(timer);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    out.write(`${out.isTTY ? '\r\x1b[2K' : ''}${what}: ${outcome} ${seconds} s\n`);
  }
}
