//! What JSON text promises: every value bit for bit in every position, refusals with their path, honest reports.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use ckpt_format::json::{FieldReport, check, from_slice, to_vec};
use proptest::prelude::*;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn text_of<T: Serialize + ?Sized>(value: &T) -> String {
    let text = to_vec(value).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8_lossy(&text).into_owned()
}

fn back<T: DeserializeOwned>(text: &str) -> T {
    from_slice(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")).0
}

fn refused<T: Serialize>(value: &T) -> (String, String) {
    match to_vec(value) {
        Ok(text) => panic!("accepted: {}", String::from_utf8_lossy(&text)),
        Err(error) => (error.path, error.reason),
    }
}

fn any_f64() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        prop::num::f64::ANY,
        Just(-0.0),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::from_bits(0xfff4_0000_dead_beef)),
        Just(f64::MIN_POSITIVE / 3.0),
        Just(1e23),
    ]
}

fn any_f32() -> impl Strategy<Value = f32> {
    prop_oneof![
        any::<u32>().prop_map(f32::from_bits),
        Just(-0.0),
        Just(f32::INFINITY),
        Just(f32::from_bits(0xffa0_beef)),
        Just(f32::from_bits(0x15ae_43fd)),
        Just(f32::from_bits(0x95ae_43fd)),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![".*", "~{0,3}.*", "~{0,2}f(64|32):[0-9a-f]{0,16}", Just("~f64:7ff8000000000000".to_owned())]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Newtype<T>(T);

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged<T> {
    Named { number: T },
    Bare(T),
    Words(Vec<String>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Internal<T> {
    #[serde(rename = "~odd")]
    Number { number: T, note: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent<T> {
    Number(T),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum External<T> {
    Unit,
    Newtype(T),
    Tuple(T, T),
    Struct { number: T },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Flat<T> {
    #[serde(flatten)]
    inner: Newfield<T>,
    #[serde(flatten)]
    rest: BTreeMap<String, T>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Newfield<T> {
    inside: T,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Everywhere<T> {
    plain: T,
    option: Option<T>,
    none: Option<T>,
    newtype: Newtype<T>,
    some_newtype: Option<Newtype<T>>,
    tuple: (T, T),
    array: [T; 2],
    list: Vec<T>,
    map: BTreeMap<String, T>,
    untagged: Vec<Untagged<T>>,
    internal: Internal<T>,
    adjacent: Adjacent<T>,
    external: Vec<External<T>>,
    flat: Flat<T>,
    boxed: Box<T>,
}

impl<T: Clone> Everywhere<T> {
    fn of(value: &T, text: &str) -> Self {
        let v = || value.clone();
        Self {
            plain: v(),
            option: Some(v()),
            none: None,
            newtype: Newtype(v()),
            some_newtype: Some(Newtype(v())),
            tuple: (v(), v()),
            array: [v(), v()],
            list: vec![v()],
            map: [(text.to_owned(), v())].into(),
            untagged: vec![
                Untagged::Named { number: v() },
                Untagged::Bare(v()),
                Untagged::Words(vec![text.into()]),
            ],
            internal: Internal::Number { number: v(), note: text.to_owned() },
            adjacent: Adjacent::Number(v()),
            external: vec![
                External::Unit,
                External::Newtype(v()),
                External::Tuple(v(), v()),
                External::Struct { number: v() },
            ],
            flat: Flat { inner: Newfield { inside: v() }, rest: [(format!("{text}x"), v())].into() },
            boxed: Box::new(v()),
        }
    }

    /// Every number in it, and every text.
    fn all(&self) -> (Vec<T>, Vec<String>) {
        let mut numbers =
            vec![self.plain.clone(), self.newtype.0.clone(), self.tuple.0.clone(), self.tuple.1.clone()];
        numbers.extend(self.option.clone());
        numbers.extend(self.none.clone());
        numbers.extend(self.some_newtype.clone().map(|newtype| newtype.0));
        numbers.extend(self.array.clone());
        numbers.extend(self.list.clone());
        numbers.extend(self.map.values().cloned());
        let mut texts: Vec<String> = self.map.keys().chain(self.flat.rest.keys()).cloned().collect();
        for untagged in &self.untagged {
            match untagged {
                Untagged::Named { number } | Untagged::Bare(number) => numbers.push(number.clone()),
                Untagged::Words(words) => texts.extend(words.clone()),
            }
        }
        let Internal::Number { number, note } = &self.internal;
        numbers.push(number.clone());
        texts.push(note.clone());
        let Adjacent::Number(number) = &self.adjacent;
        numbers.push(number.clone());
        for external in &self.external {
            match external {
                External::Unit => {}
                External::Newtype(number) | External::Struct { number } => numbers.push(number.clone()),
                External::Tuple(one, two) => numbers.extend([one.clone(), two.clone()]),
            }
        }
        numbers.push(self.flat.inner.inside.clone());
        numbers.extend(self.flat.rest.values().cloned());
        numbers.push((*self.boxed).clone());
        (numbers, texts)
    }
}

proptest! {
    #[test]
    fn an_f64_comes_back_bit_for_bit_in_every_position(value in any_f64(), text in any_text()) {
        let written = Everywhere::of(&value, &text);
        let read: Everywhere<f64> = back(&text_of(&written));
        let (numbers, texts) = read.all();
        prop_assert_eq!(numbers.len(), written.all().0.len());
        prop_assert!(numbers.iter().all(|number| number.to_bits() == value.to_bits()), "{:?}", read);
        prop_assert_eq!(texts, written.all().1);
    }

    #[test]
    fn an_f32_comes_back_bit_for_bit_in_every_position(value in any_f32(), text in any_text()) {
        let written = Everywhere::of(&value, &text);
        let read: Everywhere<f32> = back(&text_of(&written));
        let (numbers, texts) = read.all();
        prop_assert_eq!(numbers.len(), written.all().0.len());
        prop_assert!(numbers.iter().all(|number| number.to_bits() == value.to_bits()), "{:?}", read);
        prop_assert_eq!(texts, written.all().1);
    }

    #[test]
    fn a_text_comes_back_in_every_position(value in any_text(), key in any_text()) {
        let written = Everywhere::of(&value, &key);
        let read: Everywhere<String> = back(&text_of(&written));
        prop_assert_eq!(read.all(), written.all());
        let map: HashMap<String, String> = [(key, value)].into();
        prop_assert_eq!(back::<HashMap<String, String>>(&text_of(&map)), map);
    }

    #[test]
    fn a_character_comes_back_as_value_and_as_key(value in prop_oneof![any::<char>(), Just('~')]) {
        let map: BTreeMap<char, char> = [(value, value)].into();
        prop_assert_eq!(back::<BTreeMap<char, char>>(&text_of(&map)), map);
    }

    #[test]
    fn numbers_are_keys(int in any::<i64>(), wide in any::<u128>(), float in any_f64(), single in any_f32()) {
        let ints: BTreeMap<i64, u128> = [(int, wide)].into();
        prop_assert_eq!(back::<BTreeMap<i64, u128>>(&text_of(&ints)), ints);
        let wides: BTreeMap<u128, bool> = [(wide, true)].into();
        prop_assert_eq!(back::<BTreeMap<u128, bool>>(&text_of(&wides)), wides);
        let floats: HashMap<Bits<f64>, bool> = [(Bits(float), true)].into();
        prop_assert_eq!(back::<HashMap<Bits<f64>, bool>>(&text_of(&floats)), floats);
        let singles: HashMap<Bits<f32>, bool> = [(Bits(single), true)].into();
        let read = back::<HashMap<Bits<f32>, bool>>(&text_of(&singles));
        prop_assert_eq!(read.keys().next().unwrap().0.to_bits(), single.to_bits());
    }

    #[test]
    fn integers_come_back(a in any::<i64>(), b in any::<u64>(), c in any::<i128>(), d in any::<u128>()) {
        prop_assert_eq!(back::<(i64, u64, i128, u128)>(&text_of(&(a, b, c, d))), (a, b, c, d));
    }

    #[test]
    fn a_json_value_comes_back(texts in prop::collection::vec(any_text(), 0..4), number in -1e300..1e300f64) {
        let entries: serde_json::Map<String, Value> =
            texts.iter().map(|text| (text.clone(), json!([text, number, null, true, -5]))).collect();
        let value = Value::Object(entries);
        prop_assert_eq!(back::<Value>(&text_of(&value)), value);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = from_slice::<Everywhere<f64>>(&bytes);
        let _ = check(&bytes);
    }

    #[test]
    fn no_cut_is_read_as_a_whole(value in any_f64(), text in any_text(), cut in any::<prop::sample::Index>()) {
        let whole = to_vec(&Everywhere::of(&value, &text)).unwrap();
        let cut = cut.index(whole.len());
        prop_assert!(from_slice::<Everywhere<f64>>(&whole[..cut]).is_err());
    }
}

#[test]
fn the_text_is_what_the_format_says() {
    assert_eq!(text_of(&f64::NAN), "\"~f64:7ff8000000000000\"");
    assert_eq!(text_of(&f64::NEG_INFINITY), "\"~f64:fff0000000000000\"");
    assert_eq!(text_of(&f32::INFINITY), "\"~f32:7f800000\"");
    assert_eq!(text_of("~"), "\"~~\"");
    assert_eq!(text_of(&BTreeMap::from([("~k", -0.0)])), "{\"~~k\":-0.0}");
    assert_eq!(text_of(&0.1f32), "0.1");
    assert_eq!(text_of(&f32::from_bits(0x15ae_43fd)), "7.038530691851209e-26");
}

#[test]
fn a_float_of_the_other_width_is_understood() {
    assert_eq!(back::<f64>("\"~f32:ff800000\""), f64::NEG_INFINITY);
    assert_eq!(back::<f32>("\"~f64:7ff0000000000000\""), f32::INFINITY);
    assert!(back::<f32>("\"~f64:7ff8000000000000\"").is_nan());
    assert_eq!(back::<f64>("3"), 3.0);
}

#[test]
fn unit_and_bytes_come_back() {
    struct Bytes(Vec<u8>);
    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }
    back::<()>(&text_of(&()));
    assert_eq!(back::<Vec<u8>>(&text_of(&Bytes(vec![0, 126, 255]))), [0, 126, 255]);
}

/// A reader that asks for bytes gets the string that was written, not its escape.
#[test]
fn a_string_read_as_bytes_is_unescaped() {
    #[derive(Debug, PartialEq)]
    struct Raw(Vec<u8>);
    impl<'de> Deserialize<'de> for Raw {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Bytes;
            impl Visitor<'_> for Bytes {
                type Value = Raw;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Raw, E> {
                    Ok(Raw(bytes.to_vec()))
                }
            }
            deserializer.deserialize_byte_buf(Bytes)
        }
    }
    assert_eq!(back::<Raw>(&text_of("~a\n")), Raw(b"~a\n".to_vec()));
}

/// A float that is equal to nothing but the same bits.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Bits<T>(T);
impl<T: Clone + Into<f64>> PartialEq for Bits<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.clone().into().to_bits() == other.0.clone().into().to_bits()
    }
}
impl<T: Clone + Into<f64>> Eq for Bits<T> {}
impl<T: Clone + Into<f64>> std::hash::Hash for Bits<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.clone().into().to_bits());
    }
}

#[derive(Serialize)]
struct Book<T> {
    quotes: Vec<Newfield<T>>,
}

fn book<T>(values: Vec<T>) -> Book<T> {
    Book { quotes: values.into_iter().map(|inside| Newfield { inside }).collect() }
}

#[test]
fn what_text_cant_carry_is_refused_with_its_path() {
    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Odd {
        #[serde(rename = "~v")]
        Marked,
    }
    #[derive(Serialize)]
    struct Marked {
        #[serde(rename = "~f")]
        field: u8,
    }
    let nothing = "`Some` around nothing";
    let cases = [
        (refused(&book(vec![Some(Some(1)), Some(None)])), "quotes[1].inside", nothing),
        (refused(&book(vec![Some(())])), "quotes[0].inside", nothing),
        (refused(&book(vec![Some(Unit)])), "quotes[0].inside", nothing),
        (refused(&book(vec![Some(Value::Null)])), "quotes[0].inside", nothing),
        (refused(&Some(Newtype(None::<u8>))), "$", nothing),
        (refused(&External::Newtype(Some(None::<u8>))), "Newtype", nothing),
        (refused(&External::Tuple(Some(Some(1)), Some(None))), "Tuple[1]", nothing),
        (refused(&External::Struct { number: Some(()) }), "Struct.number", nothing),
        (refused(&BTreeMap::from([("HYPE", Some(()))])), "[\"HYPE\"]", nothing),
        (
            refused(&book(vec![BTreeMap::from([((1, 2), 3)])])),
            "quotes[0].inside",
            "a map key that is a tuple",
        ),
        (
            refused(&book(vec![BTreeMap::from([(Some(1), 3)])])),
            "quotes[0].inside",
            "a map key that is an `Option`",
        ),
        (refused(&book(vec![Odd::Marked])), "quotes[0].inside", "begins with `~`"),
        (refused(&book(vec![Marked { field: 1 }])), "quotes[0].inside", "begins with `~`"),
    ];
    for ((path, reason), expected_path, expected_reason) in cases {
        assert_eq!(path, expected_path);
        assert!(reason.contains(expected_reason), "{path}: {reason}");
    }
    assert_eq!(back::<Option<Option<u8>>>(&text_of(&Some(Some(7)))), Some(Some(7)));
}

#[test]
fn an_error_of_a_serialize_impl_carries_its_path() {
    struct Poisoned;
    impl Serialize for Poisoned {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("lock is poisoned"))
        }
    }
    let map = BTreeMap::from([(5, book(vec![Poisoned]))]);
    assert_eq!(refused(&map), ("[\"5\"].quotes[0].inside".to_owned(), "lock is poisoned".to_owned()));
}

#[derive(Debug, Serialize, Deserialize)]
struct Nested(Vec<Nested>);

#[test]
fn what_nests_too_deep_to_be_read_is_not_written() {
    let nested = |depth| (1..depth).fold(Nested(vec![]), |inner, _| Nested(vec![inner]));
    back::<Nested>(&text_of(&nested(127)));
    assert!(to_vec(&nested(128)).unwrap_err().reason.contains("nested deeper"));
    let text = "[".repeat(128) + &"]".repeat(128);
    assert!(from_slice::<Nested>(text.as_bytes()).is_err());
    assert!(check(text.as_bytes()).is_err());
    assert!(check(&text.as_bytes()[1..255]).is_ok());

    #[derive(Debug, Serialize, Deserialize)]
    enum Tree {
        Leaf,
        One(Box<Tree>),
        Two { left: Box<Tree> },
        Three(Box<Tree>, u8),
    }
    let grow: [fn(Tree) -> Tree; 3] = [
        |tree| Tree::One(Box::new(tree)),
        |tree| Tree::Two { left: Box::new(tree) },
        |tree| Tree::Three(Box::new(tree), 0),
    ];
    for grow in grow {
        // Whatever is accepted must come back; the first depth that is refused ends it.
        let mut tree = Tree::Leaf;
        let mut depth = 0;
        while let Ok(text) = to_vec(&tree) {
            from_slice::<Tree>(&text).unwrap();
            depth += 1;
            tree = grow(tree);
        }
        assert!(depth > 60, "{depth}");
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outer {
    first: u8,
    inner: Inner,
    list: Vec<Inner>,
    map: BTreeMap<String, Inner>,
    shape: Option<Shape>,
    last: Option<u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Inner {
    a: f64,
    b: f64,
}

#[derive(Debug, Deserialize)]
enum Shape {
    Round {
        #[serde(default)]
        _radius: f64,
        #[serde(default)]
        _centre: f64,
    },
}

#[test]
fn the_report_names_absent_and_unknown_fields_wherever_they_are() {
    let text = r#"{
        "inner": {"a": 1, "c": {"a": 2}},
        "list": [{"a": 1, "b": 2}, {"b": 2, "odd name": 1}],
        "map": {"HYPE": {"a": 1}, "a\nb": {"b": 1, "x": 1}},
        "shape": {"Round": {"_radius": 1, "_colour": 2}},
        "extra": [1]
    }"#;
    let (_, report) = from_slice::<Outer>(text.as_bytes()).unwrap();
    assert_eq!(
        report.absent.paths(),
        [
            "inner.b",
            "list[1].a",
            "map[\"HYPE\"].b",
            "map[\"a\\nb\"].a",
            "shape.Round._centre",
            "first",
            "last"
        ]
    );
    assert_eq!(
        report.unknown.paths(),
        ["inner.c", "list[1][\"odd name\"]", "map[\"a\\nb\"].x", "shape.Round._colour", "extra"]
    );
    let (_, report) = from_slice::<Inner>(br#"{"b": 1, "a": 2}"#).unwrap();
    assert_eq!(report, FieldReport::default());
}

#[test]
fn a_struct_of_many_fields_is_watched_to_the_last() {
    const NAMES: [&str; 3] = ["f0", "f1", "f2"];
    struct Wide(usize);
    impl<'de> Deserialize<'de> for Wide {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Count;
            impl<'de> Visitor<'de> for Count {
                type Value = Wide;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a wide struct")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wide, A::Error> {
                    let mut count = 0;
                    while map.next_entry::<String, u8>()?.is_some() {
                        count += 1;
                    }
                    Ok(Wide(count))
                }
            }
            let names: Vec<&'static str> = (0..200)
                .map(|index| NAMES.get(index).copied().unwrap_or_else(|| format!("f{index}").leak()))
                .collect();
            deserializer.deserialize_struct("Wide", names.leak(), Count)
        }
    }
    let all: BTreeMap<String, u8> = (0..200)
        .filter(|index| ![3, 63, 64, 128, 199].contains(index))
        .map(|index| (format!("f{index}"), 0))
        .collect();
    let (wide, report) = from_slice::<Wide>(&to_vec(&all).unwrap()).unwrap();
    assert_eq!(wide.0, 195);
    assert_eq!(report.absent.paths(), ["f3", "f63", "f64", "f128", "f199"]);
    assert!(report.unknown.is_empty());
}

#[test]
fn what_is_not_the_type_is_refused_with_place_and_path() {
    let refused = |text: &str| from_slice::<Outer>(text.as_bytes()).map(|_| ()).unwrap_err();
    let cases = [
        ("{\"first\": 1} x", "$", "trailing characters"),
        ("{\"list\": [{\"a\": 1},\n {\"a\": \"x\"}]}", "list[1].a", "expected f64"),
        ("{\"map\": {\"HYPE\": {\"b\": \"~f65:0\"}}}", "map[\"HYPE\"].b", "no escape of this format"),
        ("{\"list\": [[1, 2]]}", "list[0]", "a struct with the names of its fields"),
        ("{\"shape\": {\"Square\": {}}}", "shape", "unknown variant"),
        ("{\"first\": 256}", "first", "expected u8"),
        ("{\"inner\": {\"a\": 1, \"a\": 2}}", "inner", "duplicate field"),
        ("{\"inner\"", "$", "EOF"),
    ];
    for (text, path, reason) in cases {
        let error = refused(text);
        assert_eq!(error.path, path, "{text}: {error}");
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert!(!error.reason.contains("column"), "{error}");
    }
    let error = refused("{\"list\": [{\"a\": 1},\n {\"a\": \"x\"}]}");
    assert_eq!((error.line, error.column), (2, 10), "{error}");
}

#[test]
fn keys_are_not_taken_for_other_numbers() {
    for text in
        ["{\"+1\": 1}", "{\"inf\": 1}", "{\"NaN\": 1}", "{\"-inf\": 1}", "{\"1e999\": 1}", "{\" 1\": 1}"]
    {
        assert!(from_slice::<HashMap<Bits<f64>, u8>>(text.as_bytes()).is_err(), "{text}");
        assert!(from_slice::<BTreeMap<i64, u8>>(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn check_takes_any_json_and_nothing_else() {
    for text in ["null", " [1, -2.5e3, \"\\u00e9\", {\"a\": []}] \n", "\"~any\"", "18446744073709551616"] {
        assert!(check(text.as_bytes()).is_ok(), "{text}");
    }
    for text in [&b""[..], b"[1,]", b"nan", b"{\"a\" 1}", b"1 2", b"\"\xff\"", b"\"\\ud800\"", b"1e999"] {
        let error = check(text).unwrap_err();
        assert!(error.line >= 1, "{error}");
    }
}
