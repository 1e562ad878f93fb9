"""The cache of compiled sources, threads, other processes, and files."""

from __future__ import annotations

import concurrent.futures
import gc
import multiprocessing
import os
import pickle
import threading
import tracemalloc
import weakref

import pytest

import autodiff_compiler as ac
from autodiff_compiler import compiler
from autodiff_compiler.cache import Cache


@pytest.fixture(autouse=True)
def empty():
    ac.clear_cache()
    yield
    ac.clear_cache()


def kept(source, **options):
    """A function that is in the cache: its source is compiled for the second time."""
    ac.compile(source, **options)
    return ac.compile(source, **options)


def test_the_same_source_gives_the_same_function_from_the_second_time_on():
    first, fn = ac.compile("x*sin(y)"), ac.compile("x*sin(y)")
    assert first is not fn
    assert ac.compile("x*sin(y)") is fn
    assert kept("x*sin(y)", inputs="x, y") is ac.compile("x*sin(y)", inputs=["x", "y"])
    for options in (
        {"inputs": "y x"},
        {"wrt": "x"},
        {"without": "fold"},
        {"limits": ac.Limits(nodes=9)},
    ):
        assert kept("x*sin(y)", **options) is not fn
    other = ac.compile("x*sin(y)", cache=False)
    assert other is not fn
    assert other == fn
    ac.clear_cache()
    assert kept("x*sin(y)") is not fn
    assert fn(2.0, 0.5) == other(2.0, 0.5)


def test_a_shared_function_cannot_be_changed():
    fn = ac.compile("x*y")
    for name in ("gradient", "inputs", "note", "_wrt"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(fn, name, None)
    assert fn.gradient(2.0, 3.0) == (3.0, 2.0)


def test_what_could_not_be_compiled_is_not_kept():
    for _ in range(3):
        with pytest.raises(ac.ExpressionError):
            ac.compile("sinn(x)")
    assert len(compiler._cache) == 0


def test_the_cache_is_bounded():
    for k in range(3 * compiler.KEPT):
        kept(f"x + {k}")
    assert len(compiler._cache) == compiler.KEPT
    last = ac.compile(f"x + {3 * compiler.KEPT - 1}")
    assert ac.compile(last.formula) is last
    gone = weakref.ref(kept("x*y + 1"))
    for k in range(compiler.KEPT):
        kept(f"y + {k}")
    gc.collect()
    assert gone() is None


def test_large_functions_are_not_kept():
    large = "+".join(f"sin(x*{k})" for k in range(compiler.WEIGHT // 10))
    assert kept(large) is not ac.compile(large)
    comment = "x # " + "-" * compiler.WEIGHT * 32
    assert kept(comment) is not ac.compile(comment)
    grown = kept("*".join(f"sin(x{k})" for k in range(200)))
    assert ac.compile(grown.formula) is grown
    assert grown.hessian
    assert ac.compile(grown.formula) is not grown


def test_weights_add_up_and_the_oldest_go_first():
    cache: Cache[str] = Cache(10, 100)
    for name in "abcd":
        assert cache.add(name, name, 25) == name
    assert cache.add("a", "other", 1) == "a"
    assert cache.get("a") == "a"
    cache.add("e", "e", 20)
    assert [cache.get(n) for n in "abcde"] == ["a", None, "c", "d", "e"]
    cache.grow("e", "e", 5)
    cache.grow("c", "not it", 50)
    assert [cache.get(n) for n in "acde"] == ["a", "c", "d", "e"]
    cache.grow("e", "e", 1)
    assert cache.get("e") is None
    cache.add("f", "f", 26)
    assert cache.get("f") is None


def test_a_string_of_another_class_is_read_as_its_text():
    class Text(str):
        def __eq__(self, other):
            return True

        __hash__ = None

    assert ac.compile(Text("x + 1"))(1.0) == 2.0
    assert type(ac.compile(Text("x + 2")).formula) is str


SOURCES = [f"sin({k}*x)*exp(-y/{k + 1}) + max(x, y)**{k}" for k in range(12)]
CALLS = {
    "value": lambda f: f(0.3, 0.7), "gradient": lambda f: f.gradient(0.3, 0.7), "hessian": lambda f: f.hessian(0.3, 0.7),
    "jvp": lambda f: f.jvp((0.3, 0.7), (1.0, 2.0)), "arrays": lambda f: [g.tolist() for g in f.gradient([0.3, 0.1], 0.7)],
    "derivative": lambda f: f.derivative("x"), "trace": lambda f: f.trace("reverse", at=(0.3, 0.7)).text(),
    "rewrites": lambda f: f.rewrites, "source": lambda f: f.source(),
}  # fmt: skip


@pytest.mark.parametrize("cache", [True, False])
def test_threads_that_do_everything_at_once_agree(cache):
    want = {(s, c): CALLS[c](ac.compile(s, cache=False)) for s in SOURCES for c in CALLS}
    ac.clear_cache()
    start = threading.Barrier(8)

    def work(number):
        start.wait()
        jobs = list(want)[number:] + list(want)[:number]
        return {(s, c): CALLS[c](ac.compile(s, cache=cache)) for s, c in jobs}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found in pool.map(work, range(8)):
            assert found == want


def test_threads_share_one_function():
    for source in SOURCES:
        ac.compile(source)
    start = threading.Barrier(8)

    def work(_):
        start.wait()
        return [id(ac.compile(s)) for s in SOURCES], [ac.compile(s) for s in SOURCES]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert all(ids == results[0][0] for ids, _ in results)


def _in_another_process(data):
    fn = pickle.loads(data)
    return fn.gradient(0.3, 0.7), fn.inputs, fn.wrt, fn.limits, fn.source()


def test_functions_pickle_to_another_process():
    limits = ac.Limits(nodes=500)
    fn = ac.compile(SOURCES[3], inputs="y x", wrt="x", without="powers", limits=limits)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_in_another_process, (pickle.dumps(fn),))
    assert found == (fn.gradient(0.3, 0.7), ("y", "x"), ("x",), limits, fn.source())


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "saved.py"
    fn = ac.compile("x*y")
    fn.save(path)
    before = path.read_text()

    def fail(*_):
        raise OSError("disk full")

    for name in ("replace", "rename"):
        monkeypatch.setattr(os, name, fail)
    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        fn.save(path, "hessian")
    assert path.read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["saved.py"]


def test_no_file_is_written_that_was_not_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fn = ac.compile("log(x)*y", cache=False)
    for call in CALLS.values():
        call(fn)
    assert fn.check()
    assert fn.graph().dot()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("source", ["sin(x)*y", "sin(x", "inv(x)"])
def test_the_garbage_collector_is_left_as_it_was(source, wanted):
    (gc.enable if wanted else gc.disable)()
    try:
        ac.compile(source).value_and_gradient(1.0, 2.0)
    except ac.ExpressionError:
        pass
    finally:
        found = gc.isenabled()
        gc.enable()
    assert found is wanted


def test_a_growing_graph_is_not_searched_for_garbage():
    terms = "+".join(f"sin(x{k})*cos(x{k + 1})" for k in range(2000))
    found = []
    gc.callbacks.append(lambda phase, info: found.append(info["generation"]))
    try:
        ac.compile(terms)
    finally:
        gc.callbacks.pop()
    assert len(found) <= 4  # before, and once all is made


def test_passes_left_out_are_the_same_in_any_order():
    one, other = (ac.compile("x**2", without=w) for w in ("powers fold", "fold, powers"))
    assert one == other
    assert other is ac.compile("x**2", without=("powers", "fold"))
    assert ac.compile("x**2", stable=False) == ac.compile("x**2", without="stable", stable=False)


def test_a_program_that_is_dropped_leaves_nothing():
    ac.compile("x", cache=False)
    gc.collect()
    tracemalloc.start()
    fn = ac.compile(" + ".join(f"x{k}*x{k}" for k in range(3000)), cache=False)
    held = tracemalloc.get_traced_memory()[0]
    del fn
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert left < 0.1 * held
