/** What the builder and its text ask the server. The element says where (`data-…`) and of which audience (`data-inside`). */
import type { Want } from "./asking";
import type { TextProblem } from "./marks";
import type { Json } from "./tree";
import type { Source } from "./views/editing";
import type { Named, Vocabulary } from "./vocabulary";

export class Server {
  constructor(private readonly element: HTMLElement) {}

  async vocabulary(): Promise<Vocabulary> {
    const answer = await fetch(this.#address("vocabulary"), { headers: { Accept: "application/json" } });
    return (await good(answer).json()) as Vocabulary;
  }

  async ask(tree: string, want: Want, signal: AbortSignal): Promise<unknown> {
    return good(await this.#post(this.#address("preview", { want }), tree, "application/json", signal)).json();
  }

  /** The tree that a text means, or what is wrong in it. */
  async read(text: string, signal?: AbortSignal): Promise<{ tree?: Json; problems: TextProblem[] }> {
    const answer = await this.#post(this.#address("read"), text, "text/plain; charset=utf-8", signal);
    return (await good(answer).json()) as { tree?: Json; problems: TextProblem[] };
  }

  /** Real values; none when they cannot be had: they are a help, without them one types. */
  async values(source: Source, text: string, signal: AbortSignal): Promise<Named[]> {
    const answer = await fetch(this.#address("values", { ...source, q: text }), { signal });
    return answer.ok ? ((await answer.json()) as { values: Named[] }).values : [];
  }

  #post(url: URL, body: string, type: string, signal?: AbortSignal): Promise<Response> {
    const form = this.element.closest("form");
    const token = form?.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
    const headers = { "Content-Type": type, "X-CSRFToken": token };
    return fetch(url, { method: "POST", body, headers, ...(signal ? { signal } : {}) });
  }

  #address(name: string, query: Record<string, string> = {}): URL {
    const { dataset } = this.element;
    const url = new URL(dataset[name] ?? "", location.href);
    if (dataset.inside) url.searchParams.set("inside", dataset.inside);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return url;
  }
}

function good(answer: Response): Response {
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}
