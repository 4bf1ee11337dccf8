const SMALLEST = 64 * 1024;

/**
 * A body in one piece. `expected`: its length, where that is known; otherwise the room doubles as it fills, so that no byte is
 * copied more than twice on average. The memory belongs to nobody else and may be handed to another thread.
 */
export async function collect(
  body: AsyncIterable<Uint8Array>,
  expected: number | undefined,
  seen: (chunk: Uint8Array) => Promise<void> | undefined = () => undefined,
): Promise<Buffer> {
  let room = Buffer.allocUnsafeSlow(Math.max(SMALLEST, expected ?? 0));
  let size = 0;
  for await (const chunk of body) {
    if (size + chunk.length > room.length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(room.length * 2, size + chunk.length));
      room.copy(wider, 0, 0, size);
      room = wider;
    }
    room.set(chunk, size);
    size += chunk.length;
    await seen(chunk);
  }
  return room.subarray(0, size);
}
