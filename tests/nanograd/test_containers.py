from collections import OrderedDict

import pytest

from nanograd.containers import ModuleDict, ModuleList, Sequential
from nanograd.module import Module


class Add(Module):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def forward(self, input):
        return input + self.number


class Double(Module):
    def forward(self, input):
        return 2 * input


def numbers(modules):
    return [module.number for module in modules]


def names(module):
    return [name for name, _ in module.named_children()]


def test_a_sequence_calls_one_after_another():
    assert Sequential(Add(1), Double(), Add(3))(2) == 9
    assert Sequential()(2) == 2


def test_a_module_that_stands_twice_is_called_twice_and_found_once():
    double = Double()
    sequence = Sequential(double, double)
    assert sequence(1) == 4
    assert len(sequence) == 2
    assert names(sequence) == ["0"]


def test_a_sequence_keeps_the_names_it_is_given():
    sequence = Sequential(OrderedDict(first=Add(1), second=Double()))
    assert names(sequence) == ["first", "second"]
    assert sequence.second is sequence[-1]
    assert names(sequence[1:]) == ["second"]


@pytest.mark.parametrize("kind", [lambda modules: Sequential(*modules), ModuleList])
def test_sequences_and_lists_are_changed_like_lists(kind):
    modules = kind([Add(0), Add(1), Add(2)])
    assert modules.append(Add(3)).extend([Add(4), Add(5)]) is modules
    assert modules.insert(1, Add(9)) is modules
    assert numbers(modules) == [0, 9, 1, 2, 3, 4, 5]
    modules[-1] = Add(7)
    del modules[0]
    del modules[1:3]
    assert modules.pop().number == 7
    modules.insert(-1, Add(8))
    assert numbers(modules) == [9, 3, 8, 4]
    assert names(modules) == ["0", "1", "2", "3"]
    assert getattr(modules, "2").number == 8
    assert numbers(modules + ModuleList([Add(6)])) == [9, 3, 8, 4, 6]
    modules += [Add(6)]
    assert numbers(modules[::2]) == [9, 8, 6]
    assert type(modules[::2]) is type(modules)


def test_a_dict_is_changed_like_a_dict():
    modules = ModuleDict({"a": Add(1)})
    modules["b"] = Add(2)
    modules.update([("c", Add(3)), ("a", Add(4))])
    assert list(modules) == list(modules.keys()) == ["a", "b", "c"]
    assert numbers(modules.values()) == [4, 2, 3]
    assert "b" in modules
    assert modules.pop("b").number == 2
    assert "b" not in modules
    assert [(key, module.number) for key, module in modules.items()] == [("a", 4), ("c", 3)]
    modules.clear()
    assert not len(modules)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda: ModuleList([Add(0)])[1], IndexError, "ModuleList has 1 modules; there is no position 1"),
        (lambda: Sequential(Add(0)).insert(3, Add(1)), IndexError, "no position 3"),
        (lambda: Sequential(Add(0), "relu"), TypeError, "not str"),
        (lambda: ModuleDict({"keys": Add(0)}), KeyError, "has an attribute 'keys' already"),
        (lambda: ModuleList([Add(0)])(1), NotImplementedError, "ModuleList defines no forward"),
    ],
)
def test_what_cannot_be_is_told(change, error, words):
    with pytest.raises(error, match=words):
        change()
