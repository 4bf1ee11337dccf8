import { join } from 'node:path';
import { requireTool } from '../../support/require-tool.ts';
import { type Ecosystem, found, lastModifiedOf, partsOf } from './ecosystem.ts';

const MODULE = `module example.com/walk

go 1.21

require (
	github.com/google/uuid v1.6.0
	github.com/spf13/cobra v1.8.1
	golang.org/x/text v0.16.0
)
`;

const PROGRAM = `package main

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/text/language"
)

func main() { fmt.Println(uuid.NewString(), cobra.Command{}.Use, language.English) }
`;

export const go: Ecosystem = {
  client: 'go',
  format: 'go',
  file: 'go.sum',
  lock: async (context, machine, registry) => {
    const program = requireTool(context, 'go', 'its own site has it for every system');
    await machine.write({ 'go.mod': MODULE, 'main.go': PROGRAM });
    const env = {
      GOPROXY: registry,
      GOPATH: join(machine.home, 'go'),
      GOFLAGS: '-modcacherw -mod=mod',
      GOTOOLCHAIN: 'local',
    };
    await machine.succeed([program, 'get', './...'], env);
  },
  releaseOf: async (purl, registry) => {
    const { name, version } = partsOf(purl);
    const url = `${registry}/${escaped(name)}/@v/${escaped(version)}`;
    const info = await found(`${url}.info`);
    const { Time } = (await info.json()) as { Time: string };
    // The server's word over the author's, which counts for what stood in the first listing: nothing newer was published since.
    return { published: lastModifiedOf(info) ?? Date.parse(Time), url: `${url}.mod` };
  },
};

/** Capitals are `!` and the lower-case letter, as in every module proxy. */
const escaped = (text: string): string => text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
