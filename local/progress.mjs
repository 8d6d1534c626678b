/** One line that says what is being done: on a terminal it is rewritten, elsewhere each step gets a line. */
export class Progress {
  #terminal = process.stderr.isTTY === true;
  #since = performance.now();
  #message = "";
  #frame = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {string} message */
  step(message) {
    this.#message = message;
    if (!this.#terminal) {
      console.error(`· ${message}`);
      return;
    }
    this.#timer ??= setInterval(() => this.#draw(), 120);
    this.#draw();
  }

  /**
   * A step that may take minutes: it is printed when it begins, with its progress, and with its duration when it ends.
   *
   * @template T
   * @param {string} message
   * @param {(detail: (text: string) => void) => Promise<T>} work `detail` reports the progress
   */
  async long(message, work) {
    const began = performance.now();
    let told = began;
    this.step(message);
    const result = await work((text) => {
      this.#message = `${message} · ${text}`;
      // Where lines are not rewritten, one every fifteen seconds is enough.
      if (this.#terminal || performance.now() - told < 15_000) return;
      told = performance.now();
      console.error(`· ${this.#message}`);
    });
    this.print(`· ${message}: done in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    return result;
  }

  /** Prints a line that stays, above the progress line. @param {string} line */
  print(line) {
    this.#clear();
    console.error(line);
  }

  end() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
  }

  #clear() {
    if (this.#terminal) process.stderr.write("\r\x1b[2K");
  }

  #draw() {
    const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
    this.#frame = (this.#frame + 1) % frames.length;
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(0);
    const text = `${frames[this.#frame]} ${this.#message} · ${seconds} s`;
    process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }
}
