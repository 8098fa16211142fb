// Goals beside results: ratios measured in one run.
import { printTable, ratio } from './table.js';

export class Goals {
  readonly #lines: Record<string, string>[] = [];

  atLeast(measure: string, goal: number, result: number): void {
    this.#add(measure, `≥ ${goal}`, result, result >= goal);
  }

  atMost(measure: string, goal: number, result: number): void {
    this.#add(measure, `≤ ${goal}`, result, result <= goal);
  }

  print(title: string): void {
    printTable(title, this.#lines);
  }

  #add(measure: string, goal: string, result: number, reached: boolean): void {
    this.#lines.push({ measure, goal, result: ratio(result), reached: reached ? 'yes' : 'NO' });
  }
}
