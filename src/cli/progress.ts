// A progress bar on a terminal; a line per tenth where the output is not one.

const WIDTH = 30;

export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #out: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #done = 0;
  #shown = -1;

  constructor(label: string, total: number, out: NodeJS.WriteStream = process.stderr) {
    this.#label = label;
    this.#total = total;
    this.#out = out;
    this.#draw();
  }

  tick(): void {
    this.#done += 1;
    this.#draw();
  }

  /** Ends the bar; returns how many per second were done. */
  end(): number {
    if (this.#out.isTTY) this.#out.write('\n');
    return this.#done / Math.max(1e-3, (performance.now() - this.#startedAt) / 1000);
  }

  #draw(): void {
    const steps = this.#out.isTTY ? WIDTH : 10;
    const step = Math.floor((this.#done / Math.max(1, this.#total)) * steps);
    if (step === this.#shown && this.#done < this.#total) return;
    this.#shown = step;
    const count = `${this.#done}/${this.#total}`;
    if (this.#out.isTTY) this.#out.write(`\r${this.#label} [${'#'.repeat(step).padEnd(WIDTH)}] ${count}`);
    else this.#out.write(`${this.#label} ${count}\n`);
  }
}
