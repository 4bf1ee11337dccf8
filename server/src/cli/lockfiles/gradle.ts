import type { LockText } from './lock-text.ts';
import { PinList, type Pins } from './pins.ts';

/** gradle.lockfile (`group:artifact:version=configurations`), and a file per configuration, as Gradle before 7 wrote (without `=`). */
export function readGradleLock(source: LockText): Pins {
  const pins = new PinList(source, 'maven');
  for (const [index, raw] of source.text.split(/\r?\n/).entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#') || content.startsWith('empty=')) continue;
    const [coordinates = ''] = content.split('=');
    const [group, artifact, version, more] = coordinates.split(':');
    if (!group || !artifact || !version || more !== undefined || /\s/.test(coordinates))
      throw source.wrong(
        `is not a lock file of Gradle: ${JSON.stringify(content.slice(0, 80))} is no group:artifact:version`,
        index + 1,
      );
    pins.add({ namespace: group, name: artifact, version, line: index + 1 });
  }
  return pins.done();
}
