/**
 * What websites put into their pages: what visitors see and do, told to Hongyan. No dependency, one file, first party.
 *
 * <script>
 *   !function(w){w.hongyan=w.hongyan||{q:[]};["track","identify","page","group","alias","reset","consent"].forEach(
 *   function(m){w.hongyan[m]=w.hongyan[m]||function(){w.hongyan.q.push([m,arguments])}})}(window);
 * </script>
 * <script async src="https://crm.example.com/static/build/hongyan.js" data-write-key="hyw_…"></script>
 *
 * Attributes: data-host (default: where the script comes from), data-consent="required" (nothing before
 * hongyan.consent(true)), data-manual (no page view by itself).
 */

type Json = Record<string, unknown>;
type Queued = [method: string, args: ArrayLike<unknown>];

interface Call extends Json {
  type: string;
  messageId: string;
  timestamp: string;
}

(() => {
  const script = document.currentScript as HTMLScriptElement | null;
  const writeKey = script?.dataset.writeKey ?? "";
  if (!script || !writeKey) return;
  const host = (script.dataset.host ?? new URL(script.src).origin).replace(/\/$/, "");
  const YEAR_S = 34_128_000; // 395 days, as long as browsers allow
  const FLUSH_MS = 1500;
  const BEACON_BYTES = 60_000;
  const SESSION_MS = 1_800_000;

  const cookie = (name: string): string =>
    document.cookie
      .split("; ")
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(name.length + 1) ?? "";

  const keep = (name: string, value: string, seconds = YEAR_S): void => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}`;
  };

  /** Refusals of the browser count like those of the person: Do Not Track, Global Privacy Control. */
  const refusedByBrowser = (): boolean =>
    navigator.doNotTrack === "1" || (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;

  const allowed = (): boolean => {
    const said = cookie("hy_consent");
    if (said === "0" || refusedByBrowser()) return false;
    return said === "1" || script.dataset.consent !== "required";
  };

  const id = (): string => crypto.randomUUID?.() ?? `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

  const visitor = (): string => {
    const known = cookie("hy_visitor") || id();
    keep("hy_visitor", known); // each visit makes it last longer
    return known;
  };

  let waiting: Call[] = [];
  let timer: number | undefined;

  const flush = (leaving = false): void => {
    window.clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0) {
      const calls = waiting.splice(0, 50);
      const body = JSON.stringify({ writeKey, batch: calls, sentAt: new Date().toISOString() });
      // text/plain asks the server nothing beforehand, so it also works while the page goes away.
      if (leaving && body.length < BEACON_BYTES && navigator.sendBeacon(`${host}/v1/b`, new Blob([body], { type: "text/plain" })))
        continue;
      fetch(`${host}/v1/b`, { method: "POST", body, keepalive: body.length < BEACON_BYTES, credentials: "omit", headers: { "content-type": "text/plain" } })
        .then((answer) => {
          if (answer.status >= 500 || answer.status === 429) again(calls, Number(answer.headers.get("retry-after")) * 1000);
          else failures = 0;
        })
        .catch(() => again(calls));
    }
  };

  let failures = 0;
  /** Given up after five failures in a row; never sooner than the server asks for. */
  const again = (calls: Call[], afterMs = 0): void => {
    failures += 1;
    if (failures > 5) return;
    waiting = calls.concat(waiting).slice(0, 500);
    timer ??= window.setTimeout(flush, Math.max(FLUSH_MS * 2 ** failures, afterMs || 0));
  };

  const clean = (address: string): string => {
    try {
      const url = new URL(address, location.href);
      url.searchParams.delete("hy");
      return url.href;
    } catch {
      return "";
    }
  };

  const context = (): Json => {
    const campaign: Json = {};
    for (const [name, value] of new URLSearchParams(location.search))
      if (name.startsWith("utm_")) campaign[name === "utm_campaign" ? "name" : name.slice(4)] = value.slice(0, 200);
    return {
      page: { url: clean(location.href), path: location.pathname, referrer: clean(document.referrer || location.href) === clean(location.href) ? "" : clean(document.referrer), title: document.title },
      ...(Object.keys(campaign).length > 0 ? { campaign } : {}),
      library: { name: "hongyan.js", version: "1" },
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    };
  };

  const send = (type: string, fields: Json, more: Json = {}): void => {
    if (!allowed()) return;
    const userId = cookie("hy_user");
    waiting.push({
      type,
      messageId: id(),
      timestamp: new Date().toISOString(),
      anonymousId: visitor(),
      ...(userId ? { userId: decodeURIComponent(userId) } : {}),
      context: { ...context(), ...more },
      ...fields,
    });
    if (waiting.length >= 20) flush();
    else timer ??= window.setTimeout(flush, FLUSH_MS);
  };

  // ---- what a page view leaves behind: how far and how long --------------------------------------------------------
  let path = "";
  let seenMs = 0;
  let since = 0;
  let deepest = 0;

  const depth = (): number => {
    const whole = document.documentElement.scrollHeight;
    return whole <= 0 ? 100 : Math.min(100, Math.round(((window.scrollY + window.innerHeight) / whole) * 100));
  };
  const pauseClock = (): void => {
    if (since) seenMs += Date.now() - since;
    since = 0;
  };
  const startClock = (): void => {
    if (!since && document.visibilityState === "visible") since = Date.now();
  };
  const leavePage = (): void => {
    pauseClock();
    if (path && seenMs >= 1000)
      send("track", { event: "page_left", properties: { path, seconds: Math.round(seenMs / 1000), scroll_depth: deepest } });
    seenMs = 0;
  };
  const viewPage = (properties: Json = {}): void => {
    leavePage();
    path = location.pathname;
    deepest = depth();
    startClock();
    const { page } = context() as { page: Json };
    send("page", { properties: { ...page, ...properties } });
  };

  const methods: Record<string, (...args: never[]) => void> = {
    page(name?: string | Json, properties?: Json) {
      viewPage(typeof name === "string" ? { name, ...properties } : name);
    },
    track(event: string, properties: Json = {}) {
      send("track", { event, properties });
    },
    identify(user?: string | Json, traits?: Json) {
      const userId = typeof user === "string" || typeof user === "number" ? String(user) : "";
      if (userId && allowed()) keep("hy_user", encodeURIComponent(userId));
      send("identify", { ...(userId ? { userId } : {}), traits: (userId ? traits : (user as Json)) ?? {} });
    },
    group(groupId: string, traits: Json = {}) {
      send("group", { groupId, traits });
    },
    alias(userId: string, previousId?: string) {
      send("alias", { userId, previousId: previousId ?? visitor() });
    },
    /** After signing out: the next visitor of this browser is somebody else. */
    reset() {
      flush();
      keep("hy_user", "", 0);
      keep("hy_visitor", "", 0);
    },
    consent(given: boolean) {
      keep("hy_consent", given ? "1" : "0");
      if (given) {
        if (!path && script.dataset.manual === undefined) viewPage();
        return;
      }
      waiting = [];
      path = "";
      keep("hy_visitor", "", 0);
      keep("hy_user", "", 0);
    },
    flush() {
      flush();
    },
  };

  // ---- by itself ------------------------------------------------------------------------------------------------
  addEventListener("scroll", () => {
    deepest = Math.max(deepest, depth());
  }, { passive: true });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") startClock();
    else {
      pauseClock();
      flush(true);
    }
  });
  addEventListener("pagehide", () => {
    leavePage();
    flush(true);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) viewPage();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const fields: string[] = [];
    const values: Json = {};
    for (const input of Array.from(form.elements) as HTMLInputElement[]) {
      if (!input.name || input.type === "hidden" || input.type === "password") continue;
      fields.push(input.name);
      // Values stay in the page unless the site says otherwise of this one input.
      if (input.dataset.hongyan === "value" && ((input.type !== "checkbox" && input.type !== "radio") || input.checked)) values[input.name] = input.value.slice(0, 500);
    }
    send("track", { event: "form_submitted", properties: { form: form.id || form.getAttribute("name") || "", fields: [...new Set(fields)], ...(Object.keys(values).length > 0 ? { values } : {}) } });
    flush(true);
  }, true);
  for (const name of ["pushState", "replaceState"] as const) {
    const real = history[name].bind(history);
    history[name] = (...args: [data: unknown, unused: string, url?: string | URL | null]) => {
      real(...args);
      if (path && location.pathname !== path && script.dataset.manual === undefined) viewPage();
    };
  }
  addEventListener("popstate", () => {
    if (path && location.pathname !== path && script.dataset.manual === undefined) viewPage();
  });

  // Whoever comes from a mail brings a token that says, for a short time and only to our server, whose mail it was.
  const token = new URLSearchParams(location.search).get("hy");
  if (token) {
    history.replaceState(history.state, "", clean(location.href));
    send("identify", { traits: {} }, { mailToken: token });
  }

  const page = window as unknown as { hongyan?: Json & { q?: Queued[] } };
  const queued = page.hongyan?.q ?? [];
  page.hongyan = { ...methods, q: [] };
  if (script.dataset.manual === undefined && allowed()) {
    if (Number(cookie("hy_session")) < Date.now() - SESSION_MS) send("track", { event: "session_started", properties: {} });
    keep("hy_session", String(Date.now()), 86_400);
    viewPage();
  }
  for (const [method, args] of queued) (methods[method] as ((...a: unknown[]) => void) | undefined)?.(...Array.from(args));
})();
