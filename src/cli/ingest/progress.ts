// A progress bar on a terminal; a line per tenth where the output is not one.

const BAR_WIDTH = 30;
const LABEL_WIDTH = 15;

export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #out: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #done = 0;
  #shown = -1;

  constructor(label: string, total: number, out: NodeJS.WriteStream = process.stderr) {
    this.#label = label.padEnd(LABEL_WIDTH);
    this.#total = total;
    this.#out = out;
    this.#draw();
  }

  tick(): void {
    this.#done += 1;
    this.#draw();
  }

  get perSecond(): number {
    return this.#done / Math.max(1e-3, (performance.now() - this.#startedAt) / 1000);
  }

  /** Leaves the bar as it stands: whatever is written next begins a line of its own. */
  [Symbol.dispose](): void {
    if (this.#out.isTTY) this.#out.write('\n');
  }

  #draw(): void {
    const steps = this.#out.isTTY ? BAR_WIDTH : 10;
    const step = Math.floor((this.#done / this.#total) * steps);
    if (step === this.#shown) return;
    this.#shown = step;
    const count = `${this.#done}/${this.#total}`;
    if (this.#out.isTTY) this.#out.write(`\r${this.#label} [${'#'.repeat(step).padEnd(BAR_WIDTH)}] ${count}`);
    else this.#out.write(`${this.#label} ${count}\n`);
  }
}
