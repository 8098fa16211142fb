// Runs of the model: steps in random order on a world of their own, shrunk to the least that still breaks a rule.
import fc from 'fast-check';
import { Violation } from './oracle.js';
import { Play } from './play.js';
import { step } from './steps.js';
import type { Step } from './steps.js';
import type { World } from './world.js';

export interface ModelRuns {
  readonly world: () => Promise<World>;
  readonly seed: number;
  readonly runs: number;
  readonly steps?: number;
  /** Shrinking ends then too. */
  readonly withinMs?: number;
  /** Rules that are known to be broken: what else is, behind them? */
  readonly except?: ReadonlySet<string>;
}

class StepCommand implements fc.AsyncCommand<object, Play> {
  constructor(readonly step: Step) {}

  check(): boolean {
    return true;
  }

  run(_model: object, play: Play): Promise<void> {
    return play.play(this.step);
  }

  toString(): string {
    return JSON.stringify(this.step);
  }
}

/** Undefined when no rule was broken; else what was broken, by which steps, and how to repeat it. */
export async function runModel(options: ModelRuns): Promise<{ rule: string; report: string } | undefined> {
  const { world, seed, runs, steps = 30, withinMs, except = new Set() } = options;
  let last: { rule: string; message: string } | undefined;
  const property = fc.asyncProperty(
    fc.commands([step.map((each) => new StepCommand(each))], { maxCommands: steps, size: 'max' }),
    async (commands) => {
      const play = new Play(await world(), except);
      try {
        await fc.asyncModelRun(async () => {
          await play.prepare();
          return { model: {}, real: play };
        }, commands);
        await play.end();
      } catch (error) {
        const rule = error instanceof Violation ? error.rule : 'error';
        last = { rule, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
        throw error;
      } finally {
        await play[Symbol.asyncDispose]();
      }
    },
  );
  const result = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(withinMs !== undefined && { interruptAfterTimeLimit: withinMs }),
  });
  if (!result.failed || (result.interrupted && !result.counterexample)) return undefined;
  const [commands] = result.counterexample ?? [];
  const shown = commands ? [...commands].map((command) => `  ${String(command)}`).join('\n') : '';
  const report =
    `seed ${seed}, path ${result.counterexamplePath ?? '?'}, run ${result.numRuns}, shrunk ${result.numShrinks} times\n` +
    `${last?.message ?? ''}\n${shown}`;
  return { rule: last?.rule ?? 'error', report };
}
