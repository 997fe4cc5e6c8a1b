/** States one can go back to. */
export class History<T> {
  #past: T[] = [];
  #future: T[] = [];

  constructor(private present: T) {}

  get now(): T {
    return this.present;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  push(next: T): void {
    this.#past.push(this.present);
    if (this.#past.length > 200) this.#past.shift();
    this.#future = [];
    this.present = next;
  }

  /** The present changes without a step of its own: typing on in the same field. */
  replace(next: T): void {
    this.#future = [];
    this.present = next;
  }

  undo(): T {
    const before = this.#past.pop();
    if (before !== undefined) {
      this.#future.push(this.present);
      this.present = before;
    }
    return this.present;
  }

  redo(): T {
    const after = this.#future.pop();
    if (after !== undefined) {
      this.#past.push(this.present);
      this.present = after;
    }
    return this.present;
  }
}
