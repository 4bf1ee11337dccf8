import { deployed } from './compose-file.ts';

export const deploymentPage = deployed('docs/deployment.md');

/** Every line that the page has one type, in order. */
export function typedLines(): readonly string[] {
  const blocks = [...deploymentPage.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.replace(/<<'END'\n[\s\S]*?^END$/gm, '').split('\n')).filter(Boolean);
}

/** The values of `--<option> <value>`, in order. */
export function optionsOf(line: string, option: string): readonly string[] {
  const words = line.split(' ');
  return words.flatMap((word, at) => (word === `--${option}` ? [words[at + 1] ?? ''] : []));
}

/** The file that a block of the page writes. */
export function writtenFile(): string {
  return /<<'END'\n([\s\S]*?)^END$/m.exec(deploymentPage)?.[1] ?? '';
}
