import { describe, expect, test } from 'vitest';
import { coordinationContract } from './coordination.contract.ts';
import { MemoryCoordination } from './memory.ts';

describe('coordination within one process', () => {
  coordinationContract(async () => {
    const first = new MemoryCoordination();
    const joined = [first];
    return {
      join: async () => {
        const next = first.join();
        joined.push(next);
        return next;
      },
      close: async () => {
        for (const one of joined) await one.close();
      },
    };
  });

  test('has fences that grow when the clock is set back', async () => {
    let now = 2_000_000;
    const coordination = new MemoryCoordination(() => now);
    const before = await coordination.lease('a');
    now -= 3_600_000;
    const after = await coordination.lease('b');
    expect(after?.fence).toBe((before?.fence ?? 0) + 1);
  });
});
