/** As whom the mail is seen: an example, somebody found by name, anybody, or those who would get something odd. */

export interface Person {
  id: string;
  name: string;
  detail: string;
  why?: string[];
}

/** The editor, as far as people are chosen in it. */
export interface Stage {
  words: () => DOMStringMap;
  draft: () => FormData;
  chosen: (id: string) => void;
}

export class PreviewPeople {
  #searchTimer = 0;
  #risky: Person[] = [];
  #riskyAt = -1;

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: Stage,
  ) {}

  watch(): void {
    const search = this.root.querySelector<HTMLInputElement>("[data-people-search]");
    const menu = this.root.querySelector<HTMLDetailsElement>("[data-people-menu]");
    search?.addEventListener("input", () => {
      window.clearTimeout(this.#searchTimer);
      this.#searchTimer = window.setTimeout(() => void this.#find(search.value), 200);
    });
    menu?.addEventListener("toggle", () => {
      if (!menu.open) return;
      search?.focus();
      void this.#find(search?.value ?? "");
    });
    this.#one("[data-example]")?.addEventListener("click", () => this.#choose(null));
    this.#one("[data-random]")?.addEventListener("click", () => void this.#random());
    this.#one("[data-risky-next]")?.addEventListener("click", () => void this.#nextRisky());
    for (const name of ["[data-random]", "[data-risky-next]"]) this.#one(name)?.removeAttribute("disabled"); // heard from now on
  }

  /** The mail has changed: others may be at risk now. */
  forget(): void {
    this.#risky = [];
  }

  async #find(text: string): Promise<void> {
    const list = this.#one("[data-people-list]");
    const found = await this.#people("q", text);
    if (!list) return;
    if (found.length === 0) {
      list.textContent = this.stage.words().nobody ?? "";
      return;
    }
    list.replaceChildren(...found.map((person) => this.#item(person)));
  }

  #item(person: Person): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "menu-item";
    const name = document.createElement("span");
    name.textContent = person.name;
    const detail = document.createElement("span");
    detail.className = "end small muted";
    detail.textContent = person.detail;
    button.append(name, detail);
    button.addEventListener("click", () => this.#choose(person));
    return button;
  }

  /** Posted: what is searched for names people, and addresses land in logs. */
  async #people(name: "q" | "which", value: string): Promise<Person[]> {
    const asked = new FormData();
    asked.set("csrfmiddlewaretoken", String(this.stage.draft().get("csrfmiddlewaretoken") ?? ""));
    asked.set(name, value);
    try {
      const answer = await fetch(this.root.dataset.people ?? "", { method: "POST", body: asked });
      return answer.ok ? ((await answer.json()) as { people: Person[] }).people : [];
    } catch {
      return [];
    }
  }

  async #random(): Promise<void> {
    const [person] = await this.#people("which", "random");
    if (person) this.#choose(person);
    else this.#text("[data-why]", this.stage.words().nobody ?? "");
  }

  async #nextRisky(): Promise<void> {
    if (this.#risky.length === 0) {
      const answer = await fetch(this.root.dataset.risky ?? "", { method: "POST", body: this.stage.draft() });
      if (!answer.ok) return;
      const result = (await answer.json()) as { people: Person[]; message?: string };
      this.#risky = result.people;
      this.#riskyAt = -1;
      if (result.people.length === 0)
        return this.#text("[data-why]", result.message ?? this.stage.words().norisk ?? "");
    }
    this.#riskyAt = (this.#riskyAt + 1) % this.#risky.length;
    const person = this.#risky[this.#riskyAt];
    if (!person) return;
    this.#choose(person);
    this.#text("[data-why]", `${this.#riskyAt + 1}/${this.#risky.length} · ${person.why?.join("、") ?? ""}`);
  }

  #choose(person: Person | null): void {
    this.#text("[data-person]", person?.name ?? this.stage.words().example ?? "");
    this.#text("[data-why]", "");
    this.#one("[data-people-menu]")?.removeAttribute("open");
    this.stage.chosen(person?.id ?? "");
  }

  #one(selector: string): HTMLElement | null {
    return this.root.querySelector<HTMLElement>(selector);
  }

  #text(selector: string, text: string): void {
    const place = this.#one(selector);
    if (place) place.textContent = text;
  }
}
