import { randomBytes } from 'node:crypto';
import { install, MINUTE } from '../../src/space/fixtures.ts';

/*
 * A process that keeps, replaces and evicts, and is killed in the middle: `<data> <ledger | store> <method> <how often> <before | after>`.
 * Run with --experimental-transform-types.
 */
const [data = '', part = '', method = '', times = '1', when = 'before'] = process.argv.slice(2);
let left = Number(times);

function killing<Part extends object>(real: Part, name: string): Part {
  return new Proxy(real, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (part !== name || key !== method) return value.bind(target);
      return async (...given: unknown[]) => {
        left -= 1;
        if (left === 0 && when === 'before') process.kill(process.pid, 'SIGKILL');
        const result: unknown = await value.apply(target, given);
        if (left === 0) process.kill(process.pid, 'SIGKILL');
        return result;
      };
    },
  });
}

const installed = await install({
  data,
  ledger: (real) => killing(real, 'ledger'),
  store: (real) => killing(real, 'store'),
});
for (let n = 0; n < 40; n += 1) {
  await installed.keep(`p${n % 30}`, randomBytes(1000));
  installed.clock.now += MINUTE;
}
await installed.objects.evict({ repository: 'npm-public', prefix: 'p2' });
installed.clock.now += 10 * MINUTE;
installed.limits.current = { remotes: new Map([['npm-public', 10_000]]) };
await installed.space.look();
await installed.close();
