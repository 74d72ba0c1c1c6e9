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
      "a about actually again against also always am an and any anybody anyone anything are as at be " +
      "because been both but by can cannot cant could did do does doesnt doing dont each else ever " +
      "everything feel find for from get gets go goes good got had happen happens has have hello help " +
      "hi how i if im in instead into is isnt it its ive just know let like look lot make many may " +
      "maybe me mean meaning means much must my myself need now of on once one or other our please pls " +
      "plz possible properly quite really say seem seems should so some something sometimes sort still " +
      "tell than that the their them then there these they thing things this to too try trying two us " +
      "use used using very want was way we were what when where whether which while who why will with " +
      "won wont work works would yet you your"
    ).split(" "),
  );
  const BOOST = { title: 4, subjects: 3, page: 2.5, text: 1.5, more: 0.8 };
  const BM25 = { k: 1.2, b: 0.1, d: 1 };
  const SYNONYM = 0.5;
  const NUMBER = 0.4;
  const ASKED = 0.5; // what such a word counts in a name, where others count 1 to 6
  const NAMED = 6; // for a section whose title, or a subject of it, is just what was typed
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
    [name, name.replace(/[-_]/g, "")].filter((text) => telling(text).length).map((text) => [...new Set(stems(text))]);

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

  const inNames = new Map();
  for (const { names } of documents) {
    for (const term of new Set(names.flat())) inNames.set(term, (inNames.get(term) ?? 0) + 1);
  }
  const asking = new Set([...ASKING].map(stem));
  const rarity = (term) => asking.has(term) ? ASKED : Math.log(1 + documents.length / (inNames.get(term) ?? 1));

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

  /** Return how alike a name and what was typed are, from 0 to 1: the share of words in both. */
  function likeness(name, wanted) {
    const weight = (terms) => terms.reduce((sum, term) => sum + rarity(term), 0);
    return weight(name.filter((term) => wanted.has(term))) / weight([...new Set([...name, ...wanted])]);
  }

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
    const sentence = new Set([...asked, ...typed.filter((word) => ASKING.has(word)).map(stem)]);
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
        const named = Math.max(0, ...section.names.map((name) => likeness(name, sentence)));
        return { ...section, score: sum * covered * section.weight * (1 + NAMED * named ** 2) };
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
