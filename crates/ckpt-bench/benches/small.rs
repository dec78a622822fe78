//! The parts of a small save, one by one: what encoding costs, and what the disk does.

use std::hint::black_box;

use ckpt::{Bundle as _, BundleMode, Metadata, Run, RunOptions, Section, Selector};
use ckpt_bench::Learner;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn encoding(criterion: &mut Criterion) {
    let learner = Learner::at(1);
    criterion.bench_function("bundle to sections", |bencher| {
        bencher.iter(|| black_box(&learner).to_sections().expect("every value can be encoded"));
    });
    let sections = learner.to_sections().expect("every value can be encoded");
    criterion.bench_function("bundle from sections", |bencher| {
        bencher
            .iter(|| Learner::from_sections(black_box(&sections), BundleMode::Strict).expect("it decodes"));
    });
}

fn disk(criterion: &mut Criterion) {
    let dir = tempfile::tempdir_in(".").expect("a directory here");
    let (kind, name) = ("bench".parse().expect("a name"), "small".parse().expect("a name"));
    let run = Run::create(dir.path().join("run"), &kind, &name, RunOptions::new(ckpt::now)).expect("a run");
    let sections = Learner::at(1).to_sections().expect("every value can be encoded");
    let sections = || sections.iter().cloned().map(Section::encoded).collect();
    criterion.bench_function("save 100 KB", |bencher| {
        let save = |sections| run.save(Metadata::default(), sections).expect("it is saved");
        bencher.iter_batched(sections, save, BatchSize::SmallInput);
    });
    criterion.bench_function("load latest, 100 KB", |bencher| {
        bencher.iter(|| run.load_bundle::<Learner>(&Selector::Latest, BundleMode::Strict).expect("it loads"));
    });
}

criterion_group!(small, encoding, disk);
criterion_main!(small);
