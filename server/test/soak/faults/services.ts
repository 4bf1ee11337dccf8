import type { Service } from '../installation.ts';
import type { Part } from '../weather.ts';
import type { Kind } from './fault.ts';

/** Ways in which one of the services is bad for a while. */
export function serviceFaults(part: Part, { name, part: shows, ways }: Service): readonly Kind[] {
  return Object.entries(ways).map(([said, way]) => ({
    weight: 1.5,
    group: name,
    make: () => ({
      name: `${name} ${said}`,
      breaks: [part],
      ...(way.shows ? { shows } : {}),
      lasts: [7000, 20_000],
      settles: 30_000,
      begin: () => way.begin(),
    }),
  }));
}
