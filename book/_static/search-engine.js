// How the search ranks the sections of search-sections.js for what somebody types. MiniSearch
// scores a word; the stems are those of Sphinx's own search. Loaded when a reader opens the search.
(() => {
  const GREEK = {
    α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "epsilon", η: "eta", λ: "lambda",
    μ: "mu", ρ: "rho", σ: "sigma", θ: "theta",
  };
  // Words by which a question is asked, and not what it is about.
  const ASKING = new Set(
    (
      "a about actually also an and any are as at be been both but by can cannot could did do does " +
      "doing each else ever for from get gets go goes good had happen happens has have help how i " +
      "if in into is it its just know make many may me mean meaning means much must my need of on " +
      "one or other our please really say should so some still than that the their them then there " +
      "these they thing things this to too two us use used using very want was way we were what when " +
      "where which who why will with work works would you your"
    ).split(" "),
  );
  const BOOST = { title: 4, subjects: 3, page: 2.5, text: 1.5, more: 0.8 };
  const BM25 = { k: 1.2, b: 0.4, d: 0.5 };
  const SYNONYM = 0.5;
  const NUMBER = 0.4;
  // For a section all of whose title, or a subject of it, was typed; for one whose title is all that
  // was typed.
  const WHOLE = 1.4;
  const ALL = 2;
  const LONGEST = 4; // words in a phrase that has synonyms
  const SHOWN = 12;

  /** Return the words of a text in lower case, Greek letters by name, without signs. */
  function words(text) {
    const plain = text
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .replace(/['’](s\b)?/g, "")
      .replace(/[α-ω]/g, (letter) => GREEK[letter] ?? letter);
    return plain.match(/\d+\.\d+|[a-z0-9]+(?:[-_][a-z0-9]+)*/g) ?? [];
  }

  const parts = (text) => words(text).flatMap((word) => word.split(/[-_]/));

  /** Return the words of a text, and "overfitting" beside the parts of "over-fitting". */
  const withWholes = (text) =>
    words(text).flatMap((word) =>
      /[-_]/.test(word) ? [word.replace(/[-_]/g, ""), ...word.split(/[-_]/)] : word,
    );

  const pairs = (list) => list.slice(1).map((word, i) => list[i] + word);

  const stemmer = new Stemmer();
  const known = new Map();
  function stem(word) {
    if (!known.has(word)) known.set(word, /^[a-z]{3,}$/.test(word) ? stemmer.stemWord(word) : word);
    return known.get(word);
  }
  const stems = (text) => parts(text).map(stem);
  const telling = (text) => parts(text).filter((word) => !ASKING.has(word));

  /** Return the stems of a name, and those with "over-fitting" as one word. */
  const variants = (name) =>
    [name, name.replace(/[-_]/g, "")].map((text) => telling(text).map(stem)).filter((list) => list.length);

  const { pages, sections, synonyms } = window.bookSections;
  const documents = sections.map(([page, anchor, kind, weight, title, text, more, subjects], id) => ({
    id,
    page: pages[page][1],
    address: pages[page][0] + (anchor && `#${anchor}`),
    kind,
    weight,
    title,
    text,
    more,
    subjects: subjects.join(" | "),
    names: [title, ...subjects].flatMap(variants),
  }));

  const index = new MiniSearch({
    fields: Object.keys(BOOST),
    tokenize: (text, field) => {
      if (field === "more") return text.split(" ");
      return field === "title" || field === "subjects" ? [...withWholes(text), ...pairs(parts(text))] : withWholes(text);
    },
    processTerm: (word, field) => (ASKING.has(word) && field !== "title" ? null : stem(word)),
    searchOptions: {
      bm25: BM25,
      boost: BOOST,
      tokenize: (text) => [text], processTerm: (term) => term,
    },
  });
  index.addAll(documents);

  const scoresOf = (query, options) =>
    new Map(index.search(query, options).map(({ id, score }) => [id, score]));

  /** Return a word as the book spells it: the most likely one, where it does not have this one. */
  function spelled(word, isUnfinished) {
    const term = stem(word);
    if (term.length < 4 || index.search(term, { prefix: isUnfinished }).length) return term;
    const count = {};
    for (const { terms } of index.search(term, { fuzzy: 0.25 })) {
      for (const near of terms) count[near] = (count[near] ?? 0) + 1;
    }
    const near = Object.keys(count);
    return near.length ? near.reduce((a, b) => (count[b] > count[a] ? b : a)) : term;
  }

  // "step size", "step-size", "stepsizes" are one phrase.
  const key = (list) => list.join("").replace(/e?s?$/, "");
  const groups = synonyms.map((group) => group.map((phrase) => stems(phrase)));
  const meaning = new Map();
  for (const group of groups) for (const phrase of group) meaning.set(key(phrase), group);

  const raise = (into, scored, factor) => {
    for (const [id, score] of scored) into.set(id, Math.max(into.get(id) ?? 0, factor * score));
  };

  /**
   * Return the sections that answer a question best, the best first and one for each address, how
   * many there are in all, and a function that says of a word whether it matched.
   */
  function find(question) {
    const typed = parts(question);
    const isTelling = typed.some((word) => !ASKING.has(word));
    const asked = typed.map((word, i) => spelled(word, i === typed.length - 1));
    const ofWord = asked.map((term, i) => {
      if (isTelling && ASKING.has(typed[i])) return null;
      return scoresOf(term, { prefix: i === asked.length - 1 });
    });
    const wanted = new Set(asked.filter((_, i) => ofWord[i]));
    for (let i = 0; i < asked.length; i++) {
      for (let length = 1; length <= LONGEST && i + length <= asked.length; length++) {
        const phrase = asked.slice(i, i + length);
        const found = [];
        if (length === 2) found.push([scoresOf(stem(typed[i] + typed[i + 1])), 1]);
        for (const other of meaning.get(key(phrase)) ?? []) {
          if (key(other) !== key(phrase)) found.push([scoresOf({ combineWith: "AND", queries: other }), SYNONYM / other.length]);
        }
        for (const [scored, factor] of found) {
          for (const into of ofWord.slice(i, i + length)) if (into) raise(into, scored, factor);
        }
      }
    }
    const concepts = ofWord.flatMap((scored, i) => (scored?.size ? [{ scored, term: asked[i] }] : []));
    for (const concept of concepts) {
      concept.best = Math.max(...concept.scored.values());
      concept.rarity = Math.log(1 + documents.length / concept.scored.size);
      if (/^[\d.]+$/.test(concept.term)) concept.rarity *= NUMBER;
    }
    const total = (list, value) => list.reduce((sum, one) => sum + value(one), 0);
    const all = total(concepts, ({ rarity }) => rarity);
    const ranked = documents
      .map((section) => {
        const met = concepts.filter(({ scored }) => scored.has(section.id));
        const sum = total(met, ({ scored, best, rarity }) => (rarity * scored.get(section.id)) / best);
        const covered = total(met, ({ rarity }) => rarity) / all;
        const whole = section.names.filter((name) => name.every((term) => wanted.has(term)));
        const bonus = whole.some((name) => new Set(name).size === wanted.size) ? ALL : whole.length ? WHOLE : 1;
        return { ...section, score: sum * covered * section.weight * bonus };
      })
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score);
    const addresses = new Set();
    const unique = ranked.filter(({ address }) => !addresses.has(address) && addresses.add(address));
    const begun = [...wanted].filter((term) => term.length > 2);
    const matches = (text) =>
      telling(text).some((word) => wanted.has(stem(word)) || begun.some((term) => word.startsWith(term)));
    return { hits: unique.slice(0, SHOWN), found: unique.length, matches };
  }

  window.bookSearch = { find };
})();
