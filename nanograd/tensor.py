"""The Tensor: an array that remembers how it was made, so that gradients can flow back through it."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, cast
from weakref import ref

import numpy as np

from nanograd import operations as ops
from nanograd.dtype import CPU, FLOATS, as_dtype, common_dtype, device, float32, int64, nearest_dtype
from nanograd.elementwise import ElementwiseMethods
from nanograd.errors import GraphError, ShapeError, refuse
from nanograd.graph import Array, Counter, Hooks, Kernel, Node, Operation, RemovableHandle, backward_from, thread, through_hooks
from nanograd.outside import AbsentMethods
from nanograd.reduction import ReductionMethods
from nanograd.shaping import ShapingMethods, plain_index

Hook = Callable[["Tensor"], "Tensor | None"]


class Tensor(ElementwiseMethods, ReductionMethods, ShapingMethods, AbsentMethods):
    """An n-dimensional array with reverse-mode differentiation, as torch.Tensor.

    `Tensor(data)` makes a float32 tensor from numbers, nested lists or an array; `tensor(data)` infers the dtype. Operations
    on tensors that require a gradient are recorded, and `backward()` on a result adds to the `grad` of each of them.

    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    _whole: "tuple[Tensor, Any]"  # of a view x[index]: x and the index
    __array_priority__ = 1000  # numpy leaves `array * x` to the tensor, as with PyTorch's
    __slots__ = ("__weakref__", "_counter", "_hooks", "_node", "_requires_grad", "_seen", "_whole", "array", "grad")

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = float32) -> None:
        if not isinstance(requires_grad, bool):
            raise TypeError("Tensor(2, 3) would be an empty tensor in PyTorch; use empty(2, 3), zeros(2, 3) or Tensor([2, 3]).")
        self.array: Array = np.array(data.array if isinstance(data, Tensor) else data, dtype=as_dtype(dtype))
        self.grad: Tensor | None = None
        self._node: Node | None = None
        self._requires_grad = False
        self._counter: Counter = [0, 0]
        self._hooks: Hooks | None = None
        self._seen: int | None = None  # of a view: how often its base had been written to, and recorded, when it was taken
        if requires_grad:
            self.requires_grad_()

    # ---- what it is ---------------------------------------------------------------------------------------------------

    @property
    def device(self) -> device:
        """Where the numbers lie: always the CPU."""
        return CPU

    @property
    def requires_grad(self) -> bool:
        """Whether a backward pass computes a gradient for this tensor, or one it was made from."""
        return self._requires_grad or self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._node is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the graph behind a result, None for a leaf; good for looking at."""
        return self._node

    @property
    def version(self) -> int:
        """How often the numbers were changed in place."""
        return self._counter[0]

    @property
    def data(self) -> "Tensor":
        """The same numbers, in the same memory, outside the graph; assigning to it puts other numbers in their place."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        self.array = self._coerce(value).to(self.dtype).array
        self._counter[0] += 1

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[self._axis(dim)]

    def dim(self) -> int:
        """How many dimensions there are."""
        return self.array.ndim

    def numel(self) -> int:
        """How many numbers there are."""
        return self.array.size

    nelement = numel

    def is_floating_point(self) -> bool:
        """Whether the numbers are float32 or float64."""
        return self.array.dtype in FLOATS

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("A tensor of no dimensions has no length; use item() for its number.")
        return len(self.array)

    def __repr__(self) -> str:
        has_fractions = self.array.dtype.kind == "f" and (np.isfinite(self.array) & (self.array != np.trunc(self.array))).any()
        mode: Literal["fixed", "maxprec"] = "fixed" if has_fractions else "maxprec"
        body = np.array2string(self.array, 80, 4, separator=", ", prefix="tensor(", threshold=1000, floatmode=mode)
        size = f", size={self.shape}" if not self.array.size and self.ndim > 1 else ""
        is_plain = self.dtype in (float32, np.bool_) or (self.dtype == np.int64 and self.array.size)
        dtype = "" if is_plain else f", dtype={self.dtype}"
        grad = f", grad_fn={self._node}" if self._node else ", requires_grad=True" if self._requires_grad else ""
        return f"tensor({body}{size}{dtype}{grad})"

    def __format__(self, format_spec: str) -> str:
        return object.__format__(self, format_spec) if self.array.ndim else format(self.item(), format_spec)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._node is not None:
            raise GraphError("Only a leaf can be copied deeply or pickled, not a result: use detach() first.")
        return _rebuilt, (type(self), self.array, self._requires_grad, self.grad)

    # ---- out of the graph ---------------------------------------------------------------------------------------------

    def numpy(self) -> Array:
        """The array itself, which shares memory; raises GraphError where a gradient is required: use detach() first."""
        if self.requires_grad:
            raise GraphError("numpy() on a tensor that requires a gradient would leave the graph; use detach().numpy().")
        return self.array

    def detach(self) -> "Tensor":
        """The same numbers, in the same memory, outside the graph."""
        result = wrap(self.array)
        result._counter = self._counter
        return result

    def clone(self) -> "Tensor":
        """A copy that gradients flow through."""
        return apply(_copy, self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)

    # ---- gradients ----------------------------------------------------------------------------------------------------

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Ask for a gradient, or stop asking; raises GraphError where that cannot be."""
        if requires_grad and self.dtype not in FLOATS:
            raise GraphError(f"Only float32 and float64 tensors can require gradients, not {self.dtype}.")
        if not requires_grad and self._node is not None:
            raise GraphError("Only a leaf can stop requiring a gradient; use detach() on a result.")
        self._requires_grad = requires_grad and self._node is None
        return self

    def backward(self, gradient: "Tensor | None" = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add to the `grad` of every leaf before this tensor its gradient, weighted by `gradient` (of this shape; 1 if none).

        The graph is freed on the way unless `retain_graph`. Raises GraphError where there is no graph, where it was freed,
        or where an array it needs was changed in place. Second derivatives (`create_graph`) do not exist here.
        """
        refuse(create_graph, "create_graph=True", "only first derivatives exist here; leave it out")
        seed = self.seed_gradient(gradient)
        for leaf, part in backward_from({self._node or self: seed}, retain_graph, frozenset()).items():
            cast("Tensor", leaf).accumulate_grad(part)

    def seed_gradient(self, gradient: "Tensor | None") -> Array:
        """The array that a backward pass from here begins with: `gradient`, or 1 where there is none."""
        self._require_gradient("backward()")
        self.check_view()
        if gradient is None and self.array.size != 1:
            raise GraphError(f"backward() without a gradient needs one number; this tensor has the shape {self.shape}: sum it.")
        weight = np.ones_like(self.array) if gradient is None else np.array(gradient.array, self.dtype)
        if weight.shape != self.shape:
            raise ShapeError(f"The gradient has the shape {weight.shape}, the tensor {self.shape}; they must be equal.")
        return weight

    def accumulate_grad(self, gradient: Array) -> None:
        """Add an array, which then belongs to this tensor, to `grad`; its hooks see it first."""
        gradient = through_hooks(self._hooks, gradient)
        self.grad = wrap(gradient if self.grad is None else self.grad.array + gradient)

    def retain_grad(self) -> None:
        """Keep this result's gradient in `grad` in the backward pass, as a leaf's is, after its hooks have seen it."""
        self._require_gradient("retain_grad()")
        if self._node is None:
            return
        me = ref(self)  # the node must not hold its own result

        def keep(g: Array) -> None:
            tensor = me()
            if tensor is not None:
                tensor.grad = wrap(np.array(g) if tensor.grad is None else tensor.grad.array + g)

        self._own_hooks()[float("inf")] = keep  # after all others

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """Let `hook` see this tensor's gradient in the backward pass, and replace it by what it returns, unless None.

        `remove()` on what is returned takes the hook away again.
        """
        self._require_gradient("A hook")
        return RemovableHandle(self._own_hooks(), lambda g: getattr(hook(wrap(g)), "array", None))

    def _own_hooks(self) -> Hooks:
        owner: Any = self._node or self
        owner._hooks = {} if owner._hooks is None else owner._hooks
        return cast(Hooks, owner._hooks)

    def check_view(self) -> None:
        """Raise GraphError where this is a view of a tensor that was written to, and recorded, after the view was taken."""
        if self._seen is not None and self._seen != self._counter[1]:
            what = "A view was used after the tensor it looks into was written to in place, so its gradient would be wrong"
            raise GraphError(f"{what}; take the view again after the write, or clone() it before.")

    def _require_gradient(self, name: str) -> None:
        if not self.requires_grad:
            raise GraphError(f"{name} needs a tensor that requires a gradient; set requires_grad=True on an input.")

    # ---- in place -----------------------------------------------------------------------------------------------------

    def __setitem__(self, index: Any, value: Any) -> None:
        part = self._coerce(value).to(self.dtype)
        steps = plain_index(index)
        if self._is_recorded_with((part,)):
            self._in_place(ops.put, part, index=steps, size=part.shape)
            return
        try:
            ops.assign(self.array, part.array, steps)
        except ValueError as error:
            raise _explained(error, "index_put", (self, part)) from None
        self._counter[0] += 1

    def zero_(self) -> "Tensor":
        """Every number becomes 0."""
        return self.copy_(0)

    def fill_(self, value: Any) -> "Tensor":
        """Every number becomes `value`."""
        return self.copy_(value)

    def copy_(self, other: Any) -> "Tensor":
        """The numbers become those of `other`, broadcast, in this dtype."""
        return self._in_place(_take_over, self._coerce(other).to(self.dtype))

    def _in_place(self, operation: Operation, *others: "Tensor", **parameters: Any) -> "Tensor":
        is_recorded = self._is_recorded_with(others)
        if is_recorded and self._requires_grad:
            what = "An in-place write to a leaf that requires a gradient would lose the value it was made with"
            raise GraphError(f"{what}; do it inside `with no_grad():`, or write x = x + 1 instead of x += 1.")
        if is_recorded and self._seen is not None:
            return self._write_through(operation, *others, **parameters)
        before = self
        if is_recorded:  # the graph keeps the old numbers, since new ones come in their place
            before = wrap(self.array.copy())
            before._node = self._node
        result = apply(operation, before, *others, **parameters)
        if result.shape != self.shape:
            raise ShapeError(f"The result has the shape {result.shape}; in place it must be {self.shape}, the tensor's own.")
        if not np.can_cast(result.dtype, self.dtype, "same_kind"):
            raise ShapeError(f"The result is {result.dtype}, which {self.dtype} cannot hold; write x = x + y instead of x += y.")
        try:
            thread.quietly(_write, self.array, result.array)
        except ValueError as error:
            raise _explained(error, operation.name, (self, *others)) from None
        self._counter[0] += 1
        if is_recorded:
            self._node = result._node
            self._counter[1] += 1
        return self

    def _write_through(self, operation: Operation, *others: "Tensor", **parameters: Any) -> "Tensor":
        """A recorded write to a view: the tensor that it looks into takes the result in, and the view is taken again."""
        if not hasattr(self, "_whole"):
            what = "An in-place write through a view can be recorded only where the view is x[index]"
            raise GraphError(f"{what}; write to the tensor itself, or clone() the view before.")
        whole, index = self._whole
        whole[index] = apply(operation, self.clone(), *others, **parameters)  # of a clone: the graph needs the old numbers
        again = whole[index]
        self._node, self._seen = again._node, again._seen
        return self

    def _is_recorded_with(self, others: "tuple[Tensor, ...]") -> bool:
        return thread.is_grad_enabled and (self.requires_grad or any(other.requires_grad for other in others))

    # ---- what the families of methods need ----------------------------------------------------------------------------

    def _apply(self, operation: Operation, *others: "Tensor", **parameters: Any) -> "Tensor":
        return apply(operation, self, *others, **parameters)

    def _binary(self, operation: Operation, other: Any) -> "Tensor":
        if isinstance(other, Tensor) and self.array.dtype is other.array.dtype:  # by far the most frequent
            return apply(operation, self, other)
        left, right = self._pair(other)
        return apply(operation, left, right)

    def _plain(self, array: Any) -> "Tensor":
        return wrap(array)

    def _coerce(self, other: Any) -> "Tensor":
        if isinstance(other, Tensor):
            return other
        if isinstance(other, (int, float)):  # bool is an int
            dtype = self.array.dtype
            if dtype.kind != "f":
                dtype = float32 if isinstance(other, float) else dtype if dtype.kind == "i" or isinstance(other, bool) else int64
            return wrap(np.array(other, dtype))
        if isinstance(other, np.ndarray | np.generic):
            return wrap(np.asarray(other, nearest_dtype(other.dtype)))
        raise TypeError(f"A tensor can be combined with a number, an array or a tensor, not with {type(other).__name__}.")

    def _pair(self, other: Any) -> "tuple[Tensor, Tensor]":
        right = self._coerce(other)
        if self.array.dtype == right.array.dtype:
            return self, right
        dtype = common_dtype(self.dtype, self.ndim, right.dtype, right.ndim)
        return self.to(dtype), right.to(dtype)


_copy = Operation("clone", np.array, lambda g: g)
_take_over = Operation("copy_", lambda x, y: np.broadcast_to(y, x.shape), lambda g: np.zeros_like(g), lambda g: g)


def _rebuilt(kind: type[Tensor], data: Array, requires_grad: bool, grad: Tensor | None) -> Tensor:
    result = kind.__new__(kind)
    Tensor.__init__(result, data, requires_grad, data.dtype)
    result.grad = grad
    return result


_array_of = attrgetter("array")
_new = Tensor.__new__


def wrap(array: Any) -> Tensor:
    """A tensor around an array, without copying."""
    result = _new(Tensor)
    result.array = array if type(array) is np.ndarray else np.asarray(array)
    result.grad = result._node = result._hooks = result._seen = None
    result._requires_grad = False
    result._counter = [0, 0]
    return result


def apply(operation: Operation, *inputs: Tensor, **parameters: Any) -> Tensor:
    """The result of an operation on tensors, recorded where a gradient is wanted."""
    try:
        if len(inputs) == 2 and not parameters:  # by far the most frequent, and faster so
            result = wrap(thread.quietly(operation.forward, inputs[0].array, inputs[1].array))
        else:
            result = wrap(thread.quietly(operation.forward, *map(_array_of, inputs), **parameters))
    except ValueError as error:
        raise _explained(error, operation.name, inputs) from None
    base = result.array.base
    if base is not None:
        first = inputs[0].array
        if base is first or base is first.base:  # a view: a write to one is a write to both
            result._counter = inputs[0]._counter
            result._seen = result._counter[1]
    if thread.is_grad_enabled:
        _record(operation, result, inputs, parameters)
    return result


def fused(kernel: Kernel, *inputs: Tensor, **parameters: Any) -> Tensor:
    """The result of a fused kernel on tensors, recorded as one node where a gradient is wanted."""
    array, saved = thread.quietly(kernel.forward, *map(_array_of, inputs), **parameters)
    result = wrap(array)
    if thread.is_grad_enabled:
        _record(kernel, result, inputs, saved)
    return result


def _record(rule: Operation | Kernel, result: Tensor, inputs: tuple[Tensor, ...], extra: Any) -> None:
    """Make the result part of the graph where one of the inputs is; `extra` is what the rule needs besides."""
    targets: tuple[Any, ...] = ()
    wanted = 0
    for x in inputs:
        if x._seen is not None:
            x.check_view()
        target = x if x._node is None and x._requires_grad else x._node
        targets += (target,)
        wanted += wanted + (target is not None)
    if wanted and result.array.dtype.kind == "f":
        result._node = rule.record(result, inputs, targets, wanted, extra)


def _explained(error: ValueError, name: str, inputs: tuple[Tensor, ...]) -> Exception:
    """numpy's complaint about shapes, with the operation's name and what came."""
    if "read-only" in str(error):
        return ShapeError("An in-place write to an expanded tensor would write one number in many places; clone() it first.")
    if isinstance(error, ShapeError) or "broadcast" not in str(error):
        return error
    shapes = " and ".join(str(x.shape) for x in inputs)
    return ShapeError(f"{name} got the shapes {shapes}, which do not broadcast: from the end, sizes are equal or 1 ({error}).")


def _write(target: Array, source: Array) -> None:
    np.copyto(target, source, casting="same_kind")
