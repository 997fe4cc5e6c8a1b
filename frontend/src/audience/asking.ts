/**
 * Asking the server what is built: its words, how many people, who, and what each part does. A newer question ends the
 * older one; what an older one found is never shown as the answer of a newer one.
 */
import type { Json } from "./tree";

export interface Problem {
  path: string;
  code: string;
  message: string;
}

export interface Person {
  name: string;
  detail: string;
  url: string;
}

/** alone: people of this part by itself; left: of the parts of its group up to and including it. */
export interface Part {
  alone: number;
  left: number | null;
}

export interface Words {
  problems: Problem[];
  sentence?: string;
  text?: string;
  /** The text form of each part by its place. */
  texts?: Record<string, string>;
}

export interface Size {
  count: number;
  total: number;
  ms: number;
  at: Date;
}

export type Want = "words" | "count" | "people" | "parts";
export type Post = (tree: string, want: Want, signal: AbortSignal) => Promise<unknown>;

export type Phase = "empty" | "asking" | "known" | "wrong" | "failed";

/** Nothing is wrong but that something is not filled in yet. */
export function unfinished(problems: Problem[]): boolean {
  return problems.every(({ code }) => code === "missing_value" || code === "not_a_condition");
}

export class Asking {
  phase: Phase = "empty";
  words: Words = { problems: [] };
  /** The text form of the last tree that could be written as text. */
  text = "";
  size: Size | null = null;
  /** The last size that was right, for a tree that is no longer there. */
  before: number | null = null;
  people: Person[] | null = null;
  parts: Record<string, Part> = {};
  #timer = 0;
  #request: AbortController | null = null;

  constructor(
    private readonly post: Post,
    private readonly changed: () => void,
    private readonly now: () => Date = () => new Date(),
  ) {}

  ask(tree: Json, wait: number): void {
    this.stop();
    this.before = this.size?.count ?? this.before;
    this.size = null;
    this.people = null;
    this.parts = {};
    if (tree === null) {
      this.phase = "empty";
      this.before = null;
      this.words = { problems: [] };
      this.text = "";
      return;
    }
    this.phase = "asking";
    const body = JSON.stringify(tree);
    this.#timer = window.setTimeout(() => void this.#run(body), wait);
  }

  stop(): void {
    window.clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }

  async #run(body: string): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    const { signal } = request;
    try {
      // The words do not wait for the count, nor the count for the words.
      const size = this.post(body, "count", signal) as Promise<Partial<Size>>;
      size.catch(() => undefined); // it is awaited below; until then a failure is not unexpected
      this.words = (await this.post(body, "words", signal)) as Words;
      if (signal.aborted) return;
      this.text = this.words.text ?? this.text;
      this.changed();
      if (this.words.problems.length > 0) {
        request.abort();
        this.phase = "wrong";
        this.before = null;
        this.changed();
        return;
      }
      const found = await size;
      if (signal.aborted) return;
      this.size = { count: found.count ?? 0, total: found.total ?? 0, ms: found.ms ?? 0, at: this.now() };
      this.phase = "known";
      this.changed();
      await Promise.all([this.#people(body, signal), this.#parts(body, signal)]);
    } catch {
      if (signal.aborted) return; // a newer question is on its way
      if (this.phase === "asking") this.phase = "failed";
    }
    this.changed();
  }

  async #people(body: string, signal: AbortSignal): Promise<void> {
    const found = (await this.post(body, "people", signal)) as { people?: Person[] };
    if (signal.aborted) return;
    this.people = found.people ?? [];
    this.changed();
  }

  async #parts(body: string, signal: AbortSignal): Promise<void> {
    const found = (await this.post(body, "parts", signal)) as { parts?: Record<string, Part> };
    if (signal.aborted) return;
    this.parts = found.parts ?? {};
    this.changed();
  }
}
